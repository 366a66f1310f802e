import { createHash } from 'node:crypto'
import { advanceSchedule, type DueSchedule, listDueSchedules } from '@baton/db'
import { toId } from '@baton/protocol'
import { createPollLoop, type Service } from '@baton/service'
import { uuidv7 } from 'uuidv7'
import type { RelayParts } from '../api/context.ts'
import { BACKLOG_REASON, isBacklogFull } from '../deliveries/backlog.ts'
import { type Arrival, planEvent } from '../jobs/plan-event.ts'
import { dueSlots, type Schedule, SPREAD_MS, scheduleOf } from './slots-of.ts'

const EVERY_MS = 1_000
const ROWS = 200

/**
 * Turns slots into events, on the database's clock. Any number of relays do it at once: a slot's event has the trigger
 * and the slot as its key, so the first insert wins, and the schedule moves on only after its events are stored. A crash
 * between the two repeats inserts that change nothing.
 */
export function createScheduler(parts: Pick<RelayParts, 'connection' | 'intake' | 'log'>): Service {
  const { db } = parts.connection

  async function pass(signal: AbortSignal) {
    for (;;) {
      const due = await listDueSchedules(db, ROWS)
      let moved = 0
      for (const schedule of due) {
        if (signal.aborted) return
        if (await fireOrSay(schedule)) moved += 1
      }
      // Where none of them moved on, the same ones would come again at once.
      if (due.length < ROWS || moved === 0) return
    }
  }

  /** Whether the schedule stands at a later slot now, by this relay or by another. */
  async function fireOrSay(schedule: DueSchedule): Promise<boolean> {
    try {
      return await fire(schedule)
    } catch (error) {
      parts.log.warn({ error, trigger: schedule.trigger_id }, 'a schedule was not fired; it is tried again')
      return false
    }
  }

  async function fire(due: DueSchedule): Promise<boolean> {
    const schedule = scheduleOf(due)
    if (due.next_fire_at === null) {
      const first = schedule.slots.after(due.now)
      if (first) await advanceSchedule(db, due.trigger_id, null, first)
      return first !== null
    }
    const slots = dueSlots(schedule, due.next_fire_at, due.now)
    if (slots.missed) {
      const { count, last, isCapped } = slots.missed
      const message = `${isCapped ? 'At least ' : ''}${count} ${count === 1 ? 'slot' : 'slots'} up to ${last.toISOString()} passed while no relay could fire ${count === 1 ? 'it' : 'them'}; the policy for missed slots is "${schedule.misfire.policy}".`
      await store(due, schedule, last, { ignored: { reason: 'missed', message } })
    }
    for (const { slot, late } of slots.fire) {
      await store(due, schedule, slot, {
        late,
        missed: slots.missed?.count ?? 0,
        ...(late ? { delayMs: spread(due.trigger_id, slot) } : {}),
      })
    }
    if (slots.next) await advanceSchedule(db, due.trigger_id, due.next_fire_at, slots.next)
    return slots.next !== null
  }

  type More = Pick<Arrival, 'ignored' | 'delayMs'> & { late?: boolean; missed?: number }

  /** A slot for which there is no room is an event that says so: the next slot is not far, and starting all of them at once helps nobody. */
  async function store(due: DueSchedule, schedule: Schedule, slot: Date, more: More) {
    try {
      return await accept(due, schedule, slot, more)
    } catch (error) {
      if (!isBacklogFull(error)) throw error
      const ignored = { reason: 'backlog_full' as const, message: BACKLOG_REASON }
      return await accept(due, schedule, slot, { ...more, ignored })
    }
  }

  function accept(due: DueSchedule, schedule: Schedule, slot: Date, more: More) {
    const { late = false, missed = 0, ...rest } = more
    const at = slot.toISOString()
    const payload = { fire: { at, zone: schedule.zone, schedule: schedule.text, late, missed } }
    return parts.intake.accept(
      planEvent(due, {
        id: toId('event', uuidv7()),
        source: due.kind === 'cron' ? 'cron' : 'interval',
        payload,
        body: Buffer.from(JSON.stringify(payload)),
        contentType: 'application/json',
        headers: {},
        dedupKey: `slot:${at}`,
        ...rest,
      }),
    )
  }

  return createPollLoop({
    everyMs: EVERY_MS,
    jitter: 0.1,
    run: pass,
    onError: (error) =>
      parts.log.warn({ error }, 'schedules were not looked at; the next look is in a second'),
  })
}

/** The same slot waits the same time on every relay. */
function spread(id: string, slot: Date): number {
  return createHash('sha256').update(`${id} ${slot.getTime()}`).digest().readUInt32BE(0) % SPREAD_MS
}
