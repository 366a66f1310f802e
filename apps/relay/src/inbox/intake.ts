import { setImmediate as endOfTurn } from 'node:timers/promises'
import { type Connection, type Db, type InsertedEvent, insertEvents, isEventStored } from '@baton/db'
import { LEASE_MS } from '@baton/protocol'
import { createBatcher } from '@baton/service'
import type { Backlog } from '../deliveries/backlog.ts'
import type { PlannedEvent } from '../jobs/plan-delivery.ts'
import type { Hints } from '../live/hints.ts'
import { deliveryHint } from '../runners/delivery-hint.ts'
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

/** `othersKnow`: the other relays were told of its pending deliveries. */
type Stored = { answer: InsertedEvent; othersKnow: boolean }

/** Rows of one commit. More would only make the first of them wait longer. */
const MAX_EVENTS = 256
const MAX_BYTES = 8 * 1024 * 1024

/**
 * The group commit: events that arrive together are inserted by one statement, each is answered after the commit.
 * A delivery whose machine has a free slot here is inserted already leased and pushed from memory afterwards, so the
 * idle path has one commit; all others are pending and their machines' sessions are told to look.
 */
export function createIntake(
  { db, writers }: { db: Db; writers: Connection[] },
  sessions: RunnerSessions,
  hints: Hints,
  backlog: Backlog,
): Intake {
  const free = [...writers]
  const batch = createBatcher<PlannedEvent, Stored>({
    async flush(events) {
      const writer = free.pop()
      if (!writer) throw new Error('There are more flushes than writers.')
      try {
        return await store(writer, events)
      } finally {
        free.push(writer)
      }
    },
    maxInFlight: writers.length,
    maxItems: MAX_EVENTS,
    maxBytes: MAX_BYTES,
    sizeOf: (event) => event.body.length,
  })

  async function store(writer: Connection, events: PlannedEvent[]): Promise<(Stored | Error)[]> {
    const storing = withEachAlone(events, (some) =>
      insertEvents(writer.db, some, LEASE_MS).catch((error) => insertPending(writer.db, some, error)),
    )
    const told = tellOthers(writer, events)
    const answers = await storing
    const othersKnow = told()
    return answers.map((answer) => (answer instanceof Error ? answer : { answer, othersKnow }))
  }

  /**
   * Hints for what these events leave pending, right behind the statement that stores them. Afterwards says whether they were
   * sent and came behind the commit, as they do unless that statement had to be repeated.
   */
  function tellOthers(writer: Connection, events: PlannedEvent[]): () => boolean {
    const pending = events.flatMap(({ deliveries }) => deliveries.filter((one) => one.leaseEpoch === null))
    let state: 'unsent' | 'under way' | 'done' = 'unsent'
    // By the end of this turn the statement is on its way.
    if (pending.length > 0)
      setImmediate(() => {
        const sent = hints.sendBehind(writer, pending.map(deliveryHint))
        if (!sent) return
        state = 'under way'
        void sent.then(() => (state = 'done'))
      })
    return () => state === 'under way'
  }

  return {
    async accept(event) {
      for (const { machineId } of event.deliveries) {
        const full = backlog.isFull(machineId)
        const isRefused =
          full !== false && (await full) && (event.stored || !(await isEventStored(db, event)))
        if (isRefused) await backlog.assertRoom(machineId)
      }
      const reservations = event.deliveries.map((delivery) => sessions.reserve(delivery))
      let stored: Stored
      try {
        stored = await batch.add(event)
      } catch (error) {
        for (const reservation of reservations) reservation?.unknown()
        throw error
      }
      const { answer, othersKnow } = stored
      for (const [index, delivery] of event.deliveries.entries()) {
        const fence = answer.inserted ? (answer.deliveries.find((d) => d.id === delivery.id)?.fence ?? 0) : 0
        const reservation = reservations[index]
        if (fence > 0) reservation?.push(event, fence)
        else reservation?.release()
        if (fence > 0 || !answer.inserted) continue
        const hint = deliveryHint(delivery)
        if (othersKnow) hints.sendHere(hint)
        else hints.send(hint.kind, hint.key)
      }
      // The push is written before the answer and the hints: both can wait for its turn, it cannot for theirs.
      if (reservations.some((reservation) => reservation !== null)) await endOfTurn()
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
