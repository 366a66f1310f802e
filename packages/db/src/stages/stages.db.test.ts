import { makePlace, newTestId, type Place, useTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { findStageTimes } from './find-stage-times.ts'

const database = useTestDatabase({ statementTimeoutMs: 60_000 })

const DAY_MS = 86_400_000

/** `count` finished runs, the n-th of which spent n ms before its lease, 2n before its acceptance, and so on to 6n. */
async function makeRuns(place: Place, count: number, options: { daysAgo?: number; attempt?: number } = {}) {
  const { daysAgo = 1, attempt = 1 } = options
  await sql`
    with asked as materialized (
      select n, newid, now() - ${daysAgo}::int * interval '1 day' + n * interval '1 s' as at
      from (select n, uuid7_hex() as newid from generate_series(1, ${count}::int) n) s
    ),
    e as (
      insert into events (id, organization_id, source, state, dedup_scope, dedup_key, body_hash, body)
      select 'evt_' || newid, ${place.organizationId}, 'manual', 'matched', 'test', newid, 'hash', '' from asked
    ),
    d as (
      insert into deliveries (id, organization_id, event_id, agent_id, machine_id, state, run_id, attempt, prompt, limits, created_at,
        finished_at)
      select 'dlv_' || newid, ${place.organizationId}, 'evt_' || newid, ${place.agentId}, ${place.machineId}, 'succeeded',
        'run_' || newid, 1, 'x', '{}', at, at from asked
    )
    insert into runs (id, organization_id, delivery_id, machine_id, agent_id, attempt, fence, state, last_hash, leased_at,
      accepted_at, started_at, first_output_at, consumed_at, finished_at)
    select 'run_' || newid, ${place.organizationId}, 'dlv_' || newid, ${place.machineId}, ${place.agentId}, ${attempt}, 1,
      'succeeded', '', at + n * interval '1 ms', at + 3 * n * interval '1 ms', at + 6 * n * interval '1 ms',
      at + 10 * n * interval '1 ms', at + 15 * n * interval '1 ms', at + 21 * n * interval '1 ms'
    from asked`.execute(database.db)
}

const ask = (place: Place, only: Partial<Parameters<typeof findStageTimes>[2]> = {}) =>
  findStageTimes(database.db, place.organizationId, { sinceMs: 7 * DAY_MS, limit: 5_000, ...only })

/** As percentile_cont has it: between the two nearest. */
function percentile(values: number[], share: number): number {
  const at = (values.length - 1) * share
  const low = values[Math.floor(at)] ?? 0
  const high = values[Math.ceil(at)] ?? 0
  return low + (high - low) * (at - Math.floor(at))
}

test('each step has the percentiles of its times', async () => {
  const place = await makePlace(database.db)
  await makeRuns(place, 200)
  const { runs, stages } = await ask(place, { machineId: place.machineId })
  expect(runs).toBe(200)
  const factors = [1, 2, 3, 4, 5, 6, 21]
  expect(stages).toHaveLength(factors.length)
  for (const [index, factor] of factors.entries()) {
    const values = Array.from({ length: 200 }, (_, n) => (n + 1) * factor)
    const stage = stages[index]
    expect(stage?.count).toBe(200)
    expect(stage?.p50, stage?.stage).toBeCloseTo(percentile(values, 0.5), 3)
    expect(stage?.p95, stage?.stage).toBeCloseTo(percentile(values, 0.95), 3)
    expect(stage?.p99, stage?.stage).toBeCloseTo(percentile(values, 0.99), 3)
  }
})

test('a step that never happened has no percentiles, and no runs at all are no error', async () => {
  const place = await makePlace(database.db)
  expect((await ask(place)).stages.every((stage) => stage.count === 0 && stage.p50 === null)).toBe(true)
  await makeRuns(place, 3)
  await sql`update runs set consumed_at = null where organization_id = ${place.organizationId}`.execute(
    database.db,
  )
  const { stages } = await ask(place)
  expect(stages.find((one) => one.stage === 'first_output_consumed')).toMatchObject({ count: 0, p99: null })
  expect(stages.find((one) => one.stage === 'consumed_finished')?.p50).toBeCloseTo(22, 3)
})

test('a later attempt does not count its waiting, which was mostly the earlier attempt', async () => {
  const place = await makePlace(database.db)
  await makeRuns(place, 4, { attempt: 2 })
  const { stages } = await ask(place)
  expect(stages.find((one) => one.stage === 'stored_leased')?.count).toBe(0)
  expect(stages.find((one) => one.stage === 'accepted_started')?.count).toBe(4)
})

test('only the time asked for counts, and only the newest runs up to the limit', async () => {
  const place = await makePlace(database.db)
  await makeRuns(place, 10, { daysAgo: 20 })
  await makeRuns(place, 5)
  expect((await ask(place)).runs).toBe(5)
  expect((await ask(place, { sinceMs: 30 * DAY_MS })).runs).toBe(15)
  const newest = await ask(place, { machineId: place.machineId, sinceMs: 30 * DAY_MS, limit: 2 })
  expect(newest.runs).toBe(2)
  expect(newest.stages[0]?.p50).toBeCloseTo(4.5, 3)
})

test("another organization's runs are never counted", async () => {
  const place = await makePlace(database.db)
  const other = await makePlace(database.db)
  await makeRuns(other, 5)
  expect((await ask(place)).runs).toBe(0)
  expect((await ask(place, { machineId: other.machineId })).runs).toBe(0)
  expect((await ask(place, { jobId: newTestId('job') })).runs).toBe(0)
})

test('the cost is bounded by the limit: 40,000 runs are read through an index and no further', async () => {
  const place = await makePlace(database.db)
  await makeRuns(place, 40_000)
  await sql`analyze runs, deliveries`.execute(database.db)
  const { rows } = await sql<{ 'QUERY PLAN': [{ Plan: object }] }>`
    explain (analyze, format json) select id from runs r where r.organization_id = ${place.organizationId}
      and r.accepted_at > now() - interval '7 days' and r.machine_id = ${place.machineId}
    order by r.accepted_at desc limit 1000`.execute(database.db)
  const plan = JSON.stringify(rows[0]?.['QUERY PLAN'])
  expect(plan).toContain('runs_machine')
  expect(plan).not.toContain('"Seq Scan"')
  expect((await ask(place, { machineId: place.machineId, limit: 1_000 })).runs).toBe(1_000)
}, 60_000)
