import { type Db, type InsertedEvent, insertEvents, isEventStored } from '@baton/db'
import { LEASE_MS } from '@baton/protocol'
import { createBatcher } from '@baton/service'
import type { Backlog } from '../deliveries/backlog.ts'
import type { PlannedEvent } from '../jobs/plan-delivery.ts'
import type { Hints } from '../live/hints.ts'
import type { RunnerSessions } from '../runners/sessions.ts'
import { withEachAlone } from './each-alone.ts'

export type Intake = {
  /**
   * Resolves when the event and its deliveries are committed (or were, by an earlier request). Rejects with `backlog_full`
   * when a machine has too much waiting: then nothing is stored.
   */
  accept(event: PlannedEvent): Promise<InsertedEvent>
  stop(): Promise<void>
}

/**
 * A lease was granted beside another in the same lane (a session's memory was behind the database): the index refused it.
 * Everything is stored pending instead, for the lease statement to decide.
 */
async function insertPending(db: Db, events: PlannedEvent[], error: unknown): Promise<InsertedEvent[]> {
  const isTaken =
    (error as { constraint_name?: string }).constraint_name?.startsWith('deliveries_one_') ?? false
  if (!isTaken) throw error
  for (const event of events) for (const delivery of event.deliveries) delivery.leaseEpoch = null
  return insertEvents(db, events, LEASE_MS)
}

/** Rows of one commit. More would only make the first of them wait longer. */
const MAX_EVENTS = 256
const MAX_BYTES = 8 * 1024 * 1024

/**
 * The group commit: events that arrive together are inserted by one statement, each is answered after the commit.
 * A delivery whose machine has a free slot here is inserted already leased and pushed from memory afterwards, so the
 * idle path has one commit; all others are pending and their machines' sessions are told to look.
 */
export function createIntake(db: Db, sessions: RunnerSessions, hints: Hints, backlog: Backlog): Intake {
  const batch = createBatcher<PlannedEvent, InsertedEvent>({
    flush: (events) =>
      withEachAlone(events, (some) =>
        insertEvents(db, some, LEASE_MS).catch((error) => insertPending(db, some, error)),
      ),
    maxInFlight: 2,
    maxItems: MAX_EVENTS,
    maxBytes: MAX_BYTES,
    sizeOf: (event) => event.body.length,
  })

  return {
    async accept(event) {
      for (const { machineId } of event.deliveries) {
        const full = backlog.isFull(machineId)
        const isRefused =
          full !== false && (await full) && (event.stored || !(await isEventStored(db, event)))
        if (isRefused) await backlog.assertRoom(machineId)
      }
      const reservations = event.deliveries.map((delivery) => sessions.reserve(delivery))
      let answer: InsertedEvent
      try {
        answer = await batch.add(event)
      } catch (error) {
        for (const reservation of reservations) reservation?.unknown()
        throw error
      }
      for (const [index, delivery] of event.deliveries.entries()) {
        const fence = answer.inserted ? (answer.deliveries.find((d) => d.id === delivery.id)?.fence ?? 0) : 0
        const reservation = reservations[index]
        if (fence > 0) reservation?.push(event, fence)
        else reservation?.release()
        if (fence === 0 && answer.inserted) hints.send('machine', delivery.machineId)
      }
      for (const old of answer.replaced) {
        if (old.mustStop) hints.send('cancel', old.machineId)
        hints.send('run', old.runId)
      }
      if (answer.inserted) hints.send('change', `${event.organizationId} event ${event.id}`)
      return answer
    },
    stop: () => batch.stop(),
  }
}
