import {
  type Db,
  type LeasedDelivery,
  leaseDeliveries,
  leaseKnown,
  listAskedCancels,
  listAskedUndos,
  listUnacceptedLeases,
  type OpenedSession,
} from '@baton/db'
import {
  type DeliveryId,
  LEASE_MS,
  type MachineId,
  type MachineOrder,
  type OrganizationId,
  PUSHED_BODY_BYTES,
  type RunnerPush,
  type UndoOrder,
} from '@baton/protocol'
import { createSessionControls } from '../approvals/session-controls.ts'
import type { PlannedDelivery, PlannedEvent } from '../jobs/plan-delivery.ts'
import { countThatFit } from './count-that-fit.ts'
import { createSessionRoom, type RoomFacts } from './session-room.ts'
import { createSessionWatches } from './session-watches.ts'
import { toLeased } from './to-leased.ts'
import { toPushedDelivery } from './to-pushed-delivery.ts'

export type Session = ReturnType<typeof createSession>

/** A slot held for a delivery while it is inserted. Exactly one of its functions is called, once. */
export type Reservation = {
  /** It was stored already leased. */
  push(event: PlannedEvent, fence: number): void
  /** It was not, or without a lease. */
  release(): void
  /** Nobody knows. */
  unknown(): void
}

const LOOK_SOON_MS = 500
const ORDERS_AT_ONCE = 8

/**
 * The newest session of one connected runner: credits, what it holds, and what is to be pushed.
 *
 * The runner grants credits (free slots); each delivery that is pushed uses one and each slot that frees gives one
 * back. Work comes on two ways that never run at the same time, because the lease statement counts live deliveries in
 * its own snapshot: from memory (`reserve` before an event is inserted, `pushLeased` after its commit) while the
 * machine is idle and its agent and workspace are known to be free, and else by the lease statement.
 */
export function createSession(
  db: Db,
  place: {
    machineId: MachineId
    organizationId: OrganizationId
    instanceId: string
    slots: number
    watchesVersion?: string
  },
  opened: OpenedSession,
  onError: (error: unknown) => void,
) {
  let credits = place.slots
  const room = createSessionRoom(db, place.machineId, opened)
  let lookAgain = true
  let pushUnaccepted = true
  let leasing = false
  let reservations = 0
  let closed: string | null = null
  const leased: LeasedDelivery[] = []
  const cancels: RunnerPush['cancels'] = []
  /** Somebody asked for a cancel, perhaps before this session was opened. */
  let cancelsToFind = true
  /** Of what is open still: these sets do not grow with the age of a session. */
  let toldCancels = new Set<number>()
  const undos: UndoOrder[] = []
  let toldUndos = new Set<string>()
  const orders: MachineOrder[] = []
  const leaseOptions = { sessionEpoch: opened.epoch, leaseMs: LEASE_MS, bodyBytes: PUSHED_BODY_BYTES }
  const controls = createSessionControls(db, place.machineId)
  const watches = createSessionWatches(db, place.machineId, place.watchesVersion ?? '')
  let wakeUp: (() => void) | null = null

  const session = {
    ...place,
    epoch: opened.epoch,

    /** Holds a slot for a delivery that is about to be inserted; it then carries this session's epoch. */
    reserve(delivery: PlannedDelivery): Reservation | null {
      const agent = delivery.rules === null && holdSlot(delivery)
      if (!agent) return null
      delivery.leaseEpoch = opened.epoch
      return {
        push: (event, fence) => grant(toLeased(event, delivery, agent, fence)),
        release: () => releaseSlot(delivery),
        unknown: loseSlot,
      }
    },

    /**
     * Another relay stored this delivery, which has no rules. With room for it the lease needs its id alone, about half of
     * what a look costs.
     */
    async offered(delivery: RoomFacts): Promise<void> {
      if (room.isLive(delivery.id)) return
      // Of many that come at once the first is leased by its id, the others by one look.
      const agent = reservations === 0 && holdSlot(delivery)
      if (!agent) return session.wake()
      try {
        const found = await leaseKnown(db, place.machineId, { ...leaseOptions, id: delivery.id })
        if (found) grant(toLeased(found.event, found.delivery, agent, found.fence))
        else releaseSlot(delivery)
      } catch (error) {
        loseSlot()
        onError(error)
      }
    },

    /** Outputs for this machine's runner to carry out. What is not pushed before the session ends is claimed anew. */
    giveOrders(more: MachineOrder[]) {
      orders.push(...more)
      wakeUp?.()
    },

    /** Free slots again, or the first ones. */
    addCredits(slots: number) {
      credits += slots
      session.wake()
    },

    /** A person asked for a cancel of something that this machine holds, or that a workspace is put back. */
    lookForCancels() {
      cancelsToFind = true
      wakeUp?.()
    },

    /** A person told a run of this machine something. */
    lookForControls() {
      controls.lookAgain()
      wakeUp?.()
    },

    /** These are finished, refused or lost: their agents and workspaces are free. */
    free(deliveries: Iterable<DeliveryId>) {
      for (const id of deliveries) room.free(id)
      session.wake()
    },

    /** The runner holds these; one that is not known here means that memory is behind the database. */
    noteHeld(deliveries: Iterable<DeliveryId>) {
      for (const id of deliveries) if (!room.isLive(id)) room.doubt()
    },

    /** There may be work, or room for it. */
    wake() {
      lookAgain = true
      wakeUp?.()
    },

    agentsChanged() {
      room.agentsChanged()
      watches.lookAgain()
      session.wake()
    },

    close(reason: string) {
      closed ??= reason
      wakeUp?.()
    },

    get closed() {
      return closed
    },

    /** What is to be pushed, in the order of its fences. Ends when the session is closed or `signal` aborts. */
    async *pushes(signal: AbortSignal): AsyncGenerator<{ id: string; push: RunnerPush }> {
      const onAbort = () => session.close('disconnected')
      signal.addEventListener('abort', onAbort, { once: true })
      let lastId = '0'
      while (closed === null) {
        if (hasToLook()) await leaseMore().catch(lookSoon)
        if (closed !== null) return
        if (nothingToPush()) {
          await sleep()
          continue
        }
        const deliveries = leased.splice(0, countThatFit(leased))
        const push = {
          deliveries: deliveries.map(toPushedDelivery),
          cancels: cancels.splice(0),
          controls: controls.take(),
          undos: undos.splice(0),
          orders: orders.splice(0, ORDERS_AT_ONCE),
          watches: watches.take(),
        }
        lastId = String(deliveries.at(-1)?.fence ?? lastId)
        yield { id: lastId, push }
      }
    },
  }

  function nothingToPush(): boolean {
    const waiting = leased.length + cancels.length + undos.length + orders.length + controls.count
    return waiting === 0 && !watches.isWaiting
  }

  /** Holds a slot where there is surely room; exactly one of the three functions below ends that. */
  function holdSlot(delivery: RoomFacts) {
    if (closed !== null || credits <= 0 || lookAgain || leasing || leased.length > 0) return null
    const agent = room.agentFor(delivery)
    if (!agent) return null
    credits--
    reservations++
    room.take([delivery])
    return agent
  }

  function grant(delivery: LeasedDelivery) {
    reservations--
    leased.push(delivery)
    wakeUp?.()
  }

  function releaseSlot({ id }: RoomFacts) {
    reservations--
    credits++
    room.free(id)
    session.wake()
  }

  /** It may be leased all the same: what is live is read again, and unaccepted leases are pushed. */
  function loseSlot() {
    reservations--
    credits++
    room.doubt()
    pushUnaccepted = true
    session.wake()
  }

  async function leaseMore() {
    if (cancelsToFind) await findCancels()
    await controls.find()
    await watches.find()
    if (pushUnaccepted && reservations === 0) await findUnaccepted()
    if (!lookAgain || credits <= 0 || reservations > 0) return
    leasing = true
    try {
      lookAgain = false
      await room.refresh()
      const slots = credits
      const found = await leaseDeliveries(db, place.machineId, { ...leaseOptions, slots })
      credits -= found.length
      leased.push(...found)
      room.take(found)
      if (found.length > 0) lookAgain = true
    } finally {
      leasing = false
    }
  }

  async function findCancels() {
    cancelsToFind = false
    try {
      const asked = await listAskedCancels(db, place.machineId)
      cancels.push(...asked.filter((cancel) => !toldCancels.has(cancel.fence)))
      toldCancels = new Set(asked.map(({ fence }) => fence))
      const orders = await listAskedUndos(db, place.machineId)
      undos.push(...orders.filter(({ id }) => !toldUndos.has(id)))
      toldUndos = new Set(orders.map(({ id }) => id))
    } catch (error) {
      cancelsToFind = true
      throw error
    }
  }

  /** Leases that the runner did not accept, because they were pushed into a dead socket or by nobody. */
  async function findUnaccepted() {
    pushUnaccepted = false
    try {
      const known = new Set(leased.map((delivery) => delivery.fence))
      const found = (await listUnacceptedLeases(db, place.machineId, PUSHED_BODY_BYTES)).filter(
        (delivery) => !known.has(delivery.fence),
      )
      credits -= found.length
      leased.push(...found)
    } catch (error) {
      pushUnaccepted = true
      throw error
    }
  }

  /** The database did not answer: the session lives on and looks again in a moment. */
  function lookSoon(error: unknown) {
    onError(error)
    lookAgain = false
    const [wasCancels, wasUnaccepted] = [cancelsToFind, pushUnaccepted]
    cancelsToFind = pushUnaccepted = false
    const wasControls = controls.pause()
    const wasWatches = watches.pause()
    setTimeout(() => {
      cancelsToFind ||= wasCancels
      if (wasControls) controls.lookAgain()
      if (wasWatches) watches.lookAgain()
      pushUnaccepted ||= wasUnaccepted
      session.wake()
    }, LOOK_SOON_MS).unref()
  }

  /** There is something to ask the database for. What is leased already goes first. */
  function hasToLook(): boolean {
    if (cancelsToFind || controls.mustLook || watches.mustLook) return true
    return leased.length === 0 && reservations === 0 && (pushUnaccepted || (lookAgain && credits > 0))
  }

  async function sleep() {
    if (closed !== null || !nothingToPush() || hasToLook()) return
    await new Promise<void>((resolve) => {
      wakeUp = resolve
    })
    wakeUp = null
  }

  return session
}
