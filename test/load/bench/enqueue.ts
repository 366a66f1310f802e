import { connect, type InsertedEvent, insertEvents, type NewEvent } from '@baton/db'
import { LEASE_MS } from '@baton/protocol'
import { createBatcher } from '@baton/service'
import { startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { newBenchEvent } from '../support/new-bench-event.ts'
import { type Figure, figure } from '../support/report.ts'
import { runRounds } from '../support/rounds.ts'
import { ratios } from '../support/statistics.ts'

const CALLERS = 64

/**
 * Durable enqueues without HTTP: 64 callers, each waiting for its own commit. The peer commits in the same way into one
 * narrow table; an event with its delivery is two rows and nine index entries.
 */
export async function benchEnqueue(context: BenchContext): Promise<Figure[]> {
  await using relay = await startBenchRelay(context)
  const [machine] = await relay.addMachines(1)
  if (!machine) throw new Error('No machine was made.')
  const { organization } = await relay.baton.raw.auth.me.query()
  const connection = connect(context.databaseUrl, { max: 4, name: 'baton bench' })
  await connection.sql`create table raw_enqueue (id bigserial primary key, body text not null)`
  const events = createBatcher<NewEvent, InsertedEvent>({
    flush: (together) => insertEvents(connection.db, together, LEASE_MS),
    maxItems: 256,
  })
  const raw = createBatcher<string, null>({
    flush: async (bodies) => {
      await connection.sql`insert into raw_enqueue (body) select unnest(${bodies}::text[])`
      return bodies.map(() => null)
    },
    maxItems: 256,
  })
  try {
    const measured = await runRounds(context.rounds, {
      relay: () =>
        enqueue(CALLERS, Math.round(15_000 * context.scale), () =>
          events.add(newBenchEvent(organization.id, machine)),
        ),
      raw: () => enqueue(CALLERS, Math.round(60_000 * context.scale), () => raw.add('{}')),
    })
    return [
      figure('enqueue', 'events with a delivery, 64 callers', '/s', measured.relay),
      figure('enqueue', 'raw group commit of one row', '/s', measured.raw),
      figure('enqueue', 'events / raw rows', '×', ratios(measured.relay, measured.raw), { atLeast: 0.8 }),
    ]
  } finally {
    await connection.close()
  }
}

/** So many callers, each waiting for its own: how many a second. */
export async function enqueue(callers: number, count: number, add: () => Promise<unknown>): Promise<number> {
  let left = count
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left-- > 0) await add()
    }),
  )
  return count / ((performance.now() - startedAt) / 1000)
}
