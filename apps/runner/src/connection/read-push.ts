import {
  deliveryId,
  type LeaseRef,
  type MachineOrder,
  type PushedDelivery,
  pushedDelivery,
  type RunControl,
  type RunnerPush,
  runId,
  runnerPush,
  type UndoOrder,
  type WatchOrders,
} from '@baton/protocol'
import { z } from 'zod'

/** What was pushed. `unreadable` are deliveries in words of a newer relay: they are refused, not left to time out. */
export type Push = {
  deliveries: PushedDelivery[]
  cancels: RunnerPush['cancels']
  controls: RunControl[]
  orders: MachineOrder[]
  undos: UndoOrder[]
  watches: WatchOrders | null
  unreadable: LeaseRef[]
}

const anyPush = z.object({
  deliveries: z.array(z.unknown()),
  cancels: runnerPush.shape.cancels,
  controls: runnerPush.shape.controls,
  orders: runnerPush.shape.orders,
  undos: runnerPush.shape.undos,
  watches: runnerPush.shape.watches.catch(null),
})
const lease = z.object({ deliveryId, runId, fence: z.number().int().positive() })

/** Null when it is no push at all. One delivery that cannot be read does not hide the others. */
export function readPush(value: unknown): Push | null {
  const outer = anyPush.safeParse(value)
  if (!outer.success) return null
  const push: Push = {
    deliveries: [],
    cancels: outer.data.cancels,
    controls: outer.data.controls,
    orders: outer.data.orders,
    undos: outer.data.undos,
    watches: outer.data.watches,
    unreadable: [],
  }
  for (const one of outer.data.deliveries) {
    const whole = pushedDelivery.safeParse(one)
    const leaseOnly = whole.success ? null : lease.safeParse(one)
    if (whole.success) push.deliveries.push(whole.data)
    else if (leaseOnly?.success) push.unreadable.push(leaseOnly.data)
  }
  return push
}
