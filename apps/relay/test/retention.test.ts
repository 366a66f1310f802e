import { connect, insertEvents, leaseDeliveries, sql } from '@baton/db'
import { LEASE_MS } from '@baton/protocol'
import { createLogger } from '@baton/service'
import { eventually, makePlace, newEvent, type Place, useTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { createRetention } from '../src/retention/retention.ts'

const database = useTestDatabase({ max: 8 })
const log = createLogger({ name: 'test', level: 'silent' })

/** Finished work of long ago: so many events with a run of 20 run events each. */
async function makeOld(place: Place, count: number) {
  const seed = connect(database.url, { max: 1, statementTimeoutMs: 60_000 })
  await sql`
    with asked as materialized (
      select lpad(to_hex(((extract(epoch from now()) - 40 * 86400) * 1000)::bigint + n), 12, '0') || '7000'
        || substr(md5(n::text || ${place.machineId}), 1, 16) as uuid
      from generate_series(1, ${count}::int) n
    ),
    e as (
      insert into events (id, organization_id, source, state, dedup_scope, dedup_key, body_hash, body, received_at)
      select 'evt_' || uuid, ${place.organizationId}, 'manual', 'matched', 'old', uuid, 'hash', convert_to(repeat('x', 1000), 'UTF8'),
        now() - interval '40 days' from asked
    ),
    d as (
      insert into deliveries (id, organization_id, event_id, agent_id, machine_id, state, run_id, attempt, prompt, limits,
        created_at, finished_at)
      select 'dlv_' || uuid, ${place.organizationId}, 'evt_' || uuid, ${place.agentId}, ${place.machineId}, 'succeeded',
        'run_' || uuid, 1, 'x', '{}', now() - interval '40 days', now() - interval '40 days' from asked
    ),
    r as (
      insert into runs (id, organization_id, delivery_id, machine_id, agent_id, attempt, fence, state, last_hash, last_seq,
        final_seq, leased_at, accepted_at, finished_at)
      select 'run_' || uuid, ${place.organizationId}, 'dlv_' || uuid, ${place.machineId}, ${place.agentId}, 1, 1, 'succeeded', '',
        20, 20, now() - interval '40 days', now() - interval '40 days', now() - interval '40 days' from asked
    )
    insert into run_events (run_id, seq, organization_id, body)
    select 'run_' || uuid, n, ${place.organizationId}, repeat('y', 200) from asked, generate_series(1, 20) n`.execute(
    seed.db,
  )
  await seed.close()
}

async function countEvents(place: Place): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from events where organization_id = ${place.organizationId} and dedup_scope = 'old'`.execute(
    database.db,
  )
  return rows[0]?.count ?? 0
}

/** The 95th percentile in ms of storing one event and leasing its delivery, as the hot path does it. */
async function measure(place: Place, rounds: number): Promise<{ intake: number; lease: number }> {
  const intake: number[] = []
  const lease: number[] = []
  for (let round = 0; round < rounds; round++) {
    const event = newEvent(place)
    let start = performance.now()
    await insertEvents(database.db, [event], LEASE_MS)
    intake.push(performance.now() - start)
    start = performance.now()
    const leased = await leaseDeliveries(database.db, place.machineId, {
      sessionEpoch: 1,
      slots: 1,
      leaseMs: LEASE_MS,
      bodyBytes: 100,
    })
    lease.push(performance.now() - start)
    expect(leased).toHaveLength(1)
    await sql`update deliveries set state = 'cancelled', lease_expires_at = null, finished_at = now()
      where organization_id = ${place.organizationId} and state = 'leased'`.execute(database.db)
  }
  const p95 = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0
  return { intake: p95(intake), lease: p95(lease) }
}

test('while two relays delete 6,000 old events, storing and leasing take at most a few times as long', async () => {
  const place = await makePlace(database.db)
  const quiet = await makePlace(database.db)
  await makeOld(place, 6_000)
  await sql`analyze`.execute(database.db)
  await measure(quiet, 50)
  const alone = await measure(quiet, 200)
  const services = [1, 2].map(() => createRetention({ connection: database.connection, log }, { pauseMs: 5 }))
  await Promise.all(services.map((service) => service.start()))
  const deletedBefore = 6_000 - (await countEvents(place))
  const beside = await measure(quiet, 200)
  const deletedDuring = 6_000 - (await countEvents(place)) - deletedBefore
  await eventually(async () => expect(await countEvents(place)).toBe(0), { timeoutMs: 60_000, everyMs: 50 })
  await Promise.all(services.map((service) => service.stop()))
  const counts = services.map((service) => service.counts())
  const sum = (kind: 'events' | 'deliveries' | 'runs' | 'runEvents') =>
    counts.reduce((total, one) => total + one[kind], 0)
  expect([sum('events'), sum('deliveries'), sum('runs'), sum('runEvents')]).toEqual([
    6_000, 6_000, 6_000, 120_000,
  ])
  const ratios = { intake: beside.intake / alone.intake, lease: beside.lease / alone.lease }
  if (process.env.SHOW_FIGURES) console.error({ alone, beside, ratios, deletedDuring })
  // Deleting must have been under way, or the comparison says nothing.
  expect(deletedDuring).toBeGreaterThan(100)
  // Two cores serve everything at once here; one blocked statement would show as hundreds of ms.
  expect(beside.intake).toBeLessThan(Math.max(8 * alone.intake, 50))
  expect(beside.lease).toBeLessThan(Math.max(8 * alone.lease, 50))
}, 120_000)

test('a stop in the middle ends soon and leaves whole things only', async () => {
  const place = await makePlace(database.db)
  await makeOld(place, 1_000)
  const service = createRetention({ connection: database.connection, log }, { pauseMs: 20 })
  await service.start()
  await eventually(() => expect(service.counts().events).toBeGreaterThan(0))
  await service.stop()
  const { rows } = await sql<{ events: number; deliveries: number; runs: number; run_events: number }>`
    select (select count(*)::int from events where organization_id = ${place.organizationId}) as events,
      (select count(*)::int from deliveries where organization_id = ${place.organizationId}) as deliveries,
      (select count(*)::int from runs where organization_id = ${place.organizationId}) as runs,
      (select count(*)::int from run_events where organization_id = ${place.organizationId}) as run_events`.execute(
    database.db,
  )
  const left = rows[0]?.events ?? 0
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThan(1_000)
  expect(rows[0]).toEqual({ events: left, deliveries: left, runs: left, run_events: 20 * left })
})
