import { cronConfig, intervalConfig, type Misfire } from '@baton/protocol'
import { cronSlots, intervalSlots, type Slots } from './cron-slots.ts'

/** A stored schedule, read for use. */
export type Schedule = { slots: Slots; misfire: Misfire; zone: string; text: string }

export function scheduleOf(trigger: {
  kind: string
  config: Record<string, unknown>
  trigger_created_at: Date
}): Schedule {
  if (trigger.kind === 'cron') {
    const { expression, zone, misfire } = cronConfig.parse(trigger.config)
    return { slots: cronSlots(expression, zone), misfire, zone, text: expression }
  }
  const { everyMs, misfire } = intervalConfig.parse(trigger.config)
  return {
    slots: intervalSlots(everyMs, trigger.trigger_created_at),
    misfire,
    zone: 'UTC',
    text: `every ${everyMs} ms`,
  }
}

/** A slot that is fired no later than this is on time, whatever the policy for missed ones. */
export const ON_TIME_MS = 60_000
/** What is made up for starts spread over this time, so that a relay that comes back starts no stampede. */
export const SPREAD_MS = 60_000
/** A schedule that stood for years is not counted slot by slot. */
const COUNTED = 10_000

export type DueSlots = {
  /** To be fired, oldest first; `late` ones are made up for. */
  fire: { slot: Date; late: boolean }[]
  /** How many are left out by the policy, the last of them, and whether they were too many to count. */
  missed: { count: number; last: Date; isCapped: boolean } | null
  next: Date | null
}

/** What is due of a schedule whose first open slot is `first`, at the database's `now`. */
export function dueSlots(
  { slots, misfire }: Pick<Schedule, 'slots' | 'misfire'>,
  first: Date,
  now: Date,
): DueSlots {
  const due: Date[] = []
  let slot: Date | null = first
  let isCapped = false
  while (slot !== null && slot <= now) {
    due.push(slot)
    if (due.length === COUNTED) {
      isCapped = true
      // Only the newest ones matter now: on to where some hundreds of them are left.
      const spacing = (slot.getTime() - first.getTime()) / COUNTED
      slot = slots.after(new Date(Math.max(slot.getTime(), now.getTime() - 300 * spacing)))
    } else slot = slots.after(slot)
  }
  const onTime = due.filter((one) => one.getTime() > now.getTime() - ON_TIME_MS)
  const late = due.filter((one) => one.getTime() <= now.getTime() - ON_TIME_MS)
  const wanted = misfire.policy === 'none' ? 0 : misfire.policy === 'last' ? 1 : misfire.max
  // With the policy `last`, a slot that is on time is the last one.
  const made =
    misfire.policy === 'last' && onTime.length > 0
      ? []
      : late.slice(late.length - Math.min(wanted, late.length))
  const left = late.slice(0, late.length - made.length)
  const last = left.at(-1)
  return {
    fire: [
      ...made.map((one) => ({ slot: one, late: true })),
      ...onTime.map((one) => ({ slot: one, late: false })),
    ],
    missed: last ? { count: left.length, last, isCapped } : null,
    next: slot,
  }
}
