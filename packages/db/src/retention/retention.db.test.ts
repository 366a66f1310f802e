import { type JobId, toId } from '@baton/protocol'
import { makeDelivery, makePlace, newTestId, type Place, useTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { connect } from '../connection.ts'
import { deleteOutlived } from './delete-outlived.ts'
import { listRetentionGroups, type RetentionGroup } from './list-retention-groups.ts'

const database = useTestDatabase()

const BATCH = { events: 10, rows: 50 }
const EVENT = 'manual'

async function makeJob(place: Place, keep: { runs?: number; days?: number } = {}): Promise<JobId> {
  const id = newTestId('job')
  await sql`insert into jobs (id, organization_id, agent_id, key, name, prompt, limits, rules, keep_runs, keep_days)
    values (${id}, ${place.organizationId}, ${place.agentId}, ${id.slice(4)}, 'Job', 'x', '{}', '{}', ${keep.runs ?? null},
      ${keep.days ?? null})`.execute(database.db)
  return id
}

/** Finished runs, one event each, as they would stand after so many days. Answers the ids of their events. */
async function makeRuns(
  place: Place,
  jobId: JobId | null,
  ages: number[],
  only: { state?: string; transcript?: number; received?: number } = {},
): Promise<string[]> {
  const state = only.state ?? 'succeeded'
  const { rows } = await sql<{ id: string }>`
    with asked as materialized (
      select place, lpad(to_hex(((extract(epoch from now()) - coalesce(${only.received ?? null}::float8, age) * 86400) * 1000)::bigint), 12, '0')
          || '7000' || substr(md5(random()::text), 1, 16) as uuid,
        now() - age * interval '1 day' as at,
        now() - coalesce(${only.received ?? null}::float8, age) * interval '1 day' as received_at
      from unnest(${ages}::float8[]) with ordinality as a (age, place)
    ),
    e as (
      insert into events (id, organization_id, job_id, source, state, dedup_scope, dedup_key, body_hash, body, received_at)
      select 'evt_' || uuid, ${place.organizationId}, ${jobId}, ${EVENT}, 'matched', 'test', uuid, 'hash', '{}', received_at from asked
    ),
    d as (
      insert into deliveries (id, organization_id, event_id, job_id, agent_id, machine_id, state, run_id, attempt, prompt,
        limits, created_at, finished_at)
      select 'dlv_' || uuid, ${place.organizationId}, 'evt_' || uuid, ${jobId}, ${place.agentId}, ${place.machineId}, ${state},
        'run_' || uuid, 1, 'x', '{}', received_at, case when ${state} in ('succeeded', 'failed') then at end from asked
    ),
    r as (
      insert into runs (id, organization_id, delivery_id, machine_id, agent_id, job_id, attempt, fence, state, last_hash,
        last_seq, final_seq, leased_at, accepted_at, finished_at)
      select 'run_' || uuid, ${place.organizationId}, 'dlv_' || uuid, ${place.machineId}, ${place.agentId}, ${jobId}, 1, 1,
        'succeeded', '', ${only.transcript ?? 2}, ${only.transcript ?? 2}, at, at, at from asked
    ),
    x as (
      insert into run_events (run_id, seq, organization_id, body)
      select 'run_' || uuid, n, ${place.organizationId}, '{}' from asked, generate_series(1, ${only.transcript ?? 2}::int) n
    )
    select 'evt_' || uuid as id from asked order by place`.execute(database.db)
  return rows.map((row) => row.id)
}

async function groupsOf(place: Place): Promise<RetentionGroup[]> {
  const groups: RetentionGroup[] = []
  let after: string | null = null
  do {
    const page = await listRetentionGroups(database.db, { after, limit: 3 })
    groups.push(...page.groups)
    after = page.next
  } while (after !== null)
  return groups.filter((group) => group.organizationId === place.organizationId)
}

async function deleteAll(place: Place, batch = BATCH) {
  const sum = { events: 0, deliveries: 0, runs: 0, runEvents: 0, statements: 0 }
  for (const group of await groupsOf(place)) {
    for (let done = false; !done; sum.statements += 1) {
      const step = await deleteOutlived(database.db, group, batch)
      for (const kind of ['events', 'deliveries', 'runs', 'runEvents'] as const) sum[kind] += step[kind]
      done = step.done
    }
  }
  return sum
}

async function eventsOf(place: Place): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from events where organization_id = ${place.organizationId} order by id desc`.execute(
    database.db,
  )
  return rows.map((row) => row.id)
}

test('a job keeps its newest runs, and no older ones', async () => {
  const place = await makePlace(database.db)
  const job = await makeJob(place, { runs: 5 })
  const events = await makeRuns(
    place,
    job,
    Array.from({ length: 25 }, (_, index) => 4 + index * 0.1),
  )
  const gone = await deleteAll(place)
  expect(gone).toMatchObject({ events: 20, deliveries: 20, runs: 20, runEvents: 40 })
  expect(gone.statements).toBeGreaterThan(1)
  expect(await eventsOf(place)).toEqual(events.slice(0, 5))
})

test('what ended longer ago than the days kept goes, with or without a job', async () => {
  const place = await makePlace(database.db)
  const job = await makeJob(place, { days: 10 })
  const [young, old] = await makeRuns(place, job, [9, 11])
  const [manualYoung, manualOld] = await makeRuns(place, null, [29, 31])
  await deleteAll(place)
  const left = await eventsOf(place)
  expect(left).toEqual([young, manualYoung])
  expect(left).not.toContain(old)
  expect(left).not.toContain(manualOld)
})

test('a job without numbers follows its organization', async () => {
  const place = await makePlace(database.db)
  const job = await makeJob(place)
  const [young] = await makeRuns(place, job, [4, 6])
  await deleteAll(place)
  expect(await eventsOf(place)).toHaveLength(2)
  await sql`update organizations set keep_days = 5 where id = ${place.organizationId}`.execute(database.db)
  await deleteAll(place)
  expect(await eventsOf(place)).toEqual([young])
})

test('nothing goes within 72 hours, whatever the numbers', async () => {
  const place = await makePlace(database.db)
  const job = await makeJob(place, { runs: 1, days: 1 })
  const events = await makeRuns(place, job, [0.1, 1.5, 2.9, 3.1])
  await deleteAll(place)
  expect(await eventsOf(place)).toEqual(events.slice(0, 3))
})

test.each(['pending', 'parked', 'stalled'])('an unfinished delivery stays however old: %s', async (state) => {
  const place = await makePlace(database.db)
  const job = await makeJob(place, { runs: 1, days: 1 })
  const [unfinished] = await makeRuns(place, job, [400], { state })
  const [newest] = await makeRuns(place, job, [5, 300])
  await sql`update jobs set keep_days = 3650 where id = ${job}`.execute(database.db)
  await deleteAll(place)
  expect(await eventsOf(place)).toEqual([newest, unfinished])
  await sql`update jobs set keep_days = 1 where id = ${job}`.execute(database.db)
  await deleteAll(place)
  expect(await eventsOf(place)).toEqual([unfinished])
})

test('a late run of an old event stays as long as its end is recent', async () => {
  const place = await makePlace(database.db)
  const [event] = await makeRuns(place, null, [1], { received: 60 })
  await deleteAll(place)
  expect(await eventsOf(place)).toEqual([event])
})

test('an event that started nothing goes by its days', async () => {
  const place = await makePlace(database.db)
  const [old, young] = [40, 20].map((days) => {
    const ms = Date.now() - days * 86_400_000
    return toId('event', `${ms.toString(16).padStart(12, '0')}7000${'0'.repeat(14)}${days}`)
  })
  await sql`insert into events (id, organization_id, source, state, reason, dedup_scope, dedup_key, body_hash, body, received_at)
    values (${old}, ${place.organizationId}, 'manual', 'ignored', 'no_job', 's', 'a', 'h', '', now() - interval '40 days'),
      (${young}, ${place.organizationId}, 'manual', 'ignored', 'no_job', 's', 'b', 'h', '', now() - interval '20 days')`.execute(
    database.db,
  )
  await deleteAll(place)
  expect(await eventsOf(place)).toEqual([young])
})

test('a transcript longer than a batch goes in pieces, and its run never claims to be complete meanwhile', async () => {
  const place = await makePlace(database.db)
  const [event] = await makeRuns(place, null, [40], { transcript: 170 })
  const [group] = await groupsOf(place)
  if (!group) throw new Error('No group.')
  const first = await deleteOutlived(database.db, group, BATCH)
  expect(first).toMatchObject({ events: 0, runEvents: 50, done: false })
  const { rows } = await sql<{ last_seq: number; final_seq: number; stored: number }>`
    select last_seq, final_seq, (select count(*)::int from run_events e where e.run_id = runs.id) as stored from runs
    where organization_id = ${place.organizationId}`.execute(database.db)
  expect(rows).toEqual([{ last_seq: 120, final_seq: 170, stored: 120 }])
  expect(await deleteAll(place)).toMatchObject({ events: 1, runs: 1 })
  expect(await eventsOf(place)).not.toContain(event)
})

test('a row that somebody holds is left out, with everything that belongs to it, and nobody waits', async () => {
  const place = await makePlace(database.db)
  const [held, free] = await makeRuns(place, null, [40, 41])
  const other = connect(database.url, { max: 1 })
  try {
    await other.sql.begin(async (holder) => {
      await holder`select from deliveries where event_id = ${held ?? ''} for update`
      const gone = await deleteAll(place)
      expect(gone.events).toBe(1)
      expect(await eventsOf(place)).toEqual([held])
    })
  } finally {
    await other.close()
  }
  expect((await deleteAll(place)).events).toBe(1)
  expect(free).toBeDefined()
})

test('two relays at once delete each row once and none twice', async () => {
  const place = await makePlace(database.db)
  await makeRuns(
    place,
    null,
    Array.from({ length: 60 }, (_, index) => 40 + index),
  )
  const sums = await Promise.all([deleteAll(place), deleteAll(place), deleteAll(place)])
  const rest = await deleteAll(place)
  expect([...sums, rest].reduce((sum, one) => sum + one.events, 0)).toBe(60)
  expect(await eventsOf(place)).toEqual([])
})

test("one organization's numbers never touch another's rows", async () => {
  const place = await makePlace(database.db)
  const other = await makePlace(database.db)
  await sql`update organizations set keep_days = 1 where id = ${place.organizationId}`.execute(database.db)
  await makeRuns(place, null, [10])
  const [theirs] = await makeRuns(other, null, [10])
  await deleteAll(place)
  await deleteAll(other)
  expect(await eventsOf(place)).toEqual([])
  expect(await eventsOf(other)).toEqual([theirs])
})

test('work that is on its way now is not in any group', async () => {
  const place = await makePlace(database.db)
  await makeDelivery(database.db, place)
  expect(await groupsOf(place)).toEqual([])
})

test('an event whose result waits to be sent stays, and goes with its dispatch once that has ended', async () => {
  const place = await makePlace(database.db)
  const [event] = await makeRuns(place, null, [40])
  await sql`insert into dispatches (id, organization_id, event_id, delivery_id, kind, key, next_at)
    select 'dsp_' || uuid7_hex(), d.organization_id, d.event_id, d.id, 'log', 'k:' || d.id, now()
    from deliveries d where d.event_id = ${event ?? ''}`.execute(database.db)
  await deleteAll(place)
  expect(await eventsOf(place)).toEqual([event])
  await sql`update dispatches set state = 'dead', next_at = null, finished_at = now() where event_id = ${event ?? ''}`.execute(
    database.db,
  )
  await deleteAll(place)
  expect(await eventsOf(place)).toEqual([])
})
