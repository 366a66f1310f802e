import { LEASE_MS, type LeaseRef } from '@baton/protocol'
import { makePlace, newEvent, newTestId, type Place, reportOf, useTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import {
  acceptDeliveries,
  appendRunEvents,
  findHeldStates,
  findWatermark,
  insertEvents,
  leaseDeliveries,
  ofMachine,
  refuseDeliveries,
  renewLeases,
  settleRuns,
  startRuns,
  sweepDeliveries,
} from '../index.ts'

const AT_ONCE = 5
const HISTORY = 20_000
const BACKLOG = 4_000
const AT_A_TIME = 4_000
/** Rows and index entries that a statement may read for each delivery that it names, whatever else is stored. */
const READS_EACH = 60

// One connection, so that all plans are made and kept here.
const database = useTestDatabase({ max: 1 })
let place: Place

beforeAll(async () => {
  place = await makePlace(database.db)
})

/**
 * Plans are kept from the first calls on, when tables may be nearly empty. A plan that looks for "all runs of this
 * machine" is as good as any then, and reads its whole history for ever after.
 */
test('the statements of a delivery read what they name, and not the history or the backlog of its machine', async () => {
  // Statistics of small tables, and plans made for them.
  await workOff()
  await database.connection.sql`analyze`
  for (let round = 0; round < 3; round++) await workOff()
  await fill()

  const reads = await workOff()

  const each = Object.fromEntries(
    Object.entries(reads).map(([name, count]) => [name, Math.round(count / AT_ONCE)]),
  )
  for (const [name, count] of Object.entries(each))
    expect(count, `${name} of ${JSON.stringify(each)}`).toBeLessThan(READS_EACH)
})

/** One delivery through all its statements, with what each of them read. */
async function workOff(): Promise<Record<string, number>> {
  const { db } = database
  const reads: Record<string, number> = {}
  const measured = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const before = await readSoFar()
    const result = await work()
    reads[name] = (await readSoFar()) - before
    return result
  }
  const of = <T>(items: T[]) => ofMachine(place.machineId, items)
  const events = Array.from({ length: 2 * AT_ONCE }, () =>
    newEvent(place, { delivery: { rules: null, leaseEpoch: place.sessionEpoch } }),
  )
  const stored = await measured('insert', () => insertEvents(db, events, LEASE_MS))
  const all = stored
    .flatMap((event) => event.deliveries)
    .map(({ id, runId, fence }) => ({ deliveryId: id, runId, fence }))
  const [leases, refused] = [all.slice(0, AT_ONCE), all.slice(AT_ONCE)]
  expect(leases.every(({ fence }) => fence > 0)).toBe(true)
  const refusals = refused.map(
    (lease) => ({ ...lease, errorKind: 'policy', message: 'no', final: true, retryAfterMs: 0 }) as const,
  )
  await measured('refuse', () => refuseDeliveries(db, place.machineId, [...refusals]))
  expect((await measured('accept', () => acceptDeliveries(db, of(leases), LEASE_MS))).size).toBe(AT_ONCE)
  const starts = leases.map((lease) => ({ ...lease, agoMs: 0, workspace: '/w' }))
  expect((await measured('start', () => startRuns(db, of(starts), LEASE_MS))).size).toBe(AT_ONCE)
  expect((await measured('renew', () => renewLeases(db, of(leases), LEASE_MS))).size).toBe(AT_ONCE)
  await measured('sweep', () => sweepDeliveries(db, { acceptWithinMs: 10_000, limit: 100 }))
  const held = leases.map((lease) => ({ ...lease, ackedSeq: 0 }))
  await measured('held', () => findHeldStates(db, place.machineId, held as never))
  await measured('append', () => append(leases))
  const ends = await measured('settle', () =>
    settleRuns(db, ofMachine(place.machineId, leases.map(endOf), { sentAt: Date.now() }), { retryBaseMs: 1 }),
  )
  expect(ends.map(({ result }) => result)).toEqual(leases.map(() => 'settled'))
  await measured('lease', async () => {
    const options = { sessionEpoch: place.sessionEpoch, slots: AT_ONCE, leaseMs: LEASE_MS, bodyBytes: 1 }
    const more = await leaseDeliveries(db, place.machineId, options)
    await refuseDeliveries(
      db,
      place.machineId,
      more.map(({ id, runId, fence }) => ({
        ...(refusals[0] as (typeof refusals)[number]),
        deliveryId: id,
        runId,
        fence,
      })),
    )
  })
  return reads
}

async function append(leases: LeaseRef[]): Promise<void> {
  const marks = await Promise.all(leases.map(({ runId }) => findWatermark(database.db, runId)))
  const items = leases.map(({ runId, fence }, index) => ({
    runId,
    machineId: place.machineId,
    fence,
    fromSeq: 1,
    hashBefore: marks[index]?.lastHash ?? '',
    hashAfter: 'after',
    texts: ['{}'],
    firstOutput: true,
    consumed: true,
  }))
  expect((await appendRunEvents(database.db, items)).size).toBe(AT_ONCE)
}

const endOf = (lease: LeaseRef) => reportOf(lease, { finalSeq: 1, finalHash: 'after' })

/** Rows and index entries read so far in the tables that grow, as Postgres itself counts them. */
async function readSoFar(): Promise<number> {
  await database.connection.sql`select pg_stat_force_next_flush()`
  const [row] = await database.connection.sql<{ count: number }[]>`
    select (select coalesce(sum(seq_tup_read), 0) from pg_stat_user_tables where relname in ('deliveries', 'runs', 'events'))::int
      + (select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes where relname in ('deliveries', 'runs', 'events'))::int
      as count`
  return row?.count ?? 0
}

/** What a busy machine has after some months, and what waits for an agent of it that is paused. */
async function fill(): Promise<void> {
  const paused = newTestId('agent')
  const { organizationId, machineId, agentId } = place
  await sql`
    insert into agents (id, organization_id, machine_id, key, name, runtime, command, paused_at)
    values (${paused}, ${organizationId}, ${machineId}, 'paused', 'Paused', 'command', 'demo', now())`.execute(
    database.db,
  )
  for (let from = 1; from <= HISTORY + BACKLOG; from += AT_A_TIME)
    await sql`
    with ids as (
      select n, lpad(n::text, 12, '0') as id from generate_series(${from}::int, ${from + AT_A_TIME - 1}::int) n
    ),
    made as (
      insert into events (id, organization_id, source, state, dedup_scope, dedup_key, body_hash, body)
      select 'evt_' || id, ${organizationId}, 'manual', 'matched', 'fill', id, '', '' from ids
    ),
    queued as (
      insert into deliveries (id, organization_id, event_id, agent_id, machine_id, run_id, prompt, limits, state)
      select 'dlv_' || id, ${organizationId}, 'evt_' || id, case when n > ${HISTORY}::int then ${paused} else ${agentId} end,
        ${machineId}, 'run_' || id, 'x', '{}', case when n > ${HISTORY}::int then 'pending' else 'succeeded' end from ids
    )
    insert into runs (id, organization_id, delivery_id, machine_id, agent_id, attempt, fence, leased_at, last_hash, state)
    select 'run_' || id, ${organizationId}, 'dlv_' || id, ${machineId}, ${agentId}, 1, 0, now(), '', 'succeeded'
    from ids where n <= ${HISTORY}::int`.execute(database.db)
}
