import { DEFAULT_RULES, LEASE_MS } from '@baton/protocol'
import { leaseSome, makeDelivery, makeJob, makePlace, newEvent } from '@baton/testkit'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { newKey, rulesOf, useRulesPlace } from '../../test/support/use-rules-place.ts'
import { insertEvents } from '../index.ts'

const { database, place, beside, lease, make, sweep, row, past, run, finish } = useRulesPlace()

test('a higher priority goes first', async () => {
  const low = await make({ priority: -1 })
  const middle = await make({})
  const high = await make({ priority: 5 })
  expect((await lease(2)).map((d) => d.id)).toEqual([high.id, middle.id])
  expect((await lease(2)).map((d) => d.id)).toEqual([low.id])
})

test('a delayed delivery is parked until its time', async () => {
  const made = await make({ delayMs: 60_000 })
  expect(await row(made.id)).toMatchObject({ state: 'parked', reason: 'delayed' })
  expect(await lease()).toEqual([])
  await past('parked_until', made.id)
  expect(await sweep()).toMatchObject([{ id: made.id, moved: 'due' }])
  expect(await lease()).toHaveLength(1)
})

test('what no machine took within its time to live expires and says so', async () => {
  const made = await make({ ttlMs: 60_000 })
  await past('expires_at', made.id)
  expect(await sweep()).toMatchObject([{ id: made.id, moved: 'expired' }])
  expect(await row(made.id)).toMatchObject({
    state: 'expired',
    reason_message: expect.stringContaining('time to live'),
  })
})

test('a concurrency key holds over agents and machines', async () => {
  const other = await makePlace(database.db)
  const one = { concurrencyKey: newKey(), concurrencyLimit: 1 }
  await make(one)
  await make(one)
  await make(one, other)
  expect(await lease()).toHaveLength(1)
  expect(await lease()).toEqual([])
  expect(await lease(10, other)).toEqual([])
})

test('a concurrency limit above one lets that many run', async () => {
  const two = { concurrencyKey: newKey(), concurrencyLimit: 2 }
  for (let i = 0; i < 4; i++) await make(two)
  expect(await lease()).toHaveLength(2)
  expect(await lease()).toEqual([])
})

test('a backlog behind a key at its limit does not hide what waits for no key or for another', async () => {
  const keyed = (name: string) => ({
    delivery: { rules: rulesOf({ concurrencyKey: name, concurrencyLimit: 1 }) },
  })
  const busy = Array.from({ length: 300 }, () => newEvent(place, keyed('busy')))
  await insertEvents(database.db, busy, LEASE_MS)
  const free = [await makeDelivery(database.db, place, keyed('free')), await make({})]
  const leased = [...(await lease(5)), ...(await lease(5))].map(({ id }) => id)
  expect(leased).toHaveLength(3)
  expect(leased).toEqual(expect.arrayContaining(free.map(({ id }) => id)))
})

test('the database itself refuses two live deliveries in one lane', async () => {
  const first = await makeDelivery(database.db, place, { delivery: { lane: '/repo' } })
  const second = await makeDelivery(database.db, place, { delivery: { lane: '/repo' } })
  await lease()
  await expect(
    sql`update deliveries set state = 'stalled' where id in (${first.id}, ${second.id})`.execute(database.db),
  ).rejects.toThrow(/deliveries_one_per_lane/)
})

test('a job starts no more runs in an hour than it may', async () => {
  const jobId = await makeJob(database.db, place, { rules: { ...DEFAULT_RULES, perHour: 2 } })
  for (let i = 0; i < 4; i++) await makeDelivery(database.db, place, { delivery: { jobId } })
  expect(await run(10)).toHaveLength(2)
  expect(await lease()).toEqual([])
  await sql`update runs set accepted_at = now() - interval '61 minutes' where job_id = ${jobId}`.execute(
    database.db,
  )
  expect(await lease()).toHaveLength(2)
})

test('an agent starts no more runs in an hour than it may', async () => {
  await sql`update agents set per_hour = 1 where id = ${place.agentId}`.execute(database.db)
  await make({})
  await make({})
  expect(await run(10)).toHaveLength(1)
  expect(await lease()).toEqual([])
})

test('an hourly limit counts what is leased and not accepted yet, look after look', async () => {
  const jobId = await makeJob(database.db, place, { rules: { ...DEFAULT_RULES, perHour: 1 } })
  for (let i = 0; i < 3; i++) await makeDelivery(database.db, place, { delivery: { jobId } })
  expect(await lease()).toHaveLength(1)
  expect(await lease()).toEqual([])
  const limited = await makePlace(database.db)
  await sql`update agents set per_hour = 1 where id = ${limited.agentId}`.execute(database.db)
  for (let i = 0; i < 3; i++) await make({}, limited)
  expect(await lease(10, limited)).toHaveLength(1)
  expect(await lease(10, limited)).toEqual([])
})

test('what outlived its time to live is not leased before the sweep either', async () => {
  const made = [await make({ ttlMs: 60_000 }), await makeDelivery(database.db, place, late)]
  for (const { id } of made) await past('expires_at', id)
  expect(await lease()).toEqual([])
  expect(await sweep()).toHaveLength(2)
})

const late = { delivery: { lane: '/late', rules: rulesOf({ ttlMs: 60_000 }) } }

test('what expires between two attempts does not say that no machine took it', async () => {
  const made = await make({ ttlMs: 60_000 })
  const [ref] = await run()
  if (!ref) throw new Error('nothing ran')
  await sql`update deliveries set repeatable = true where id = ${made.id}`.execute(database.db)
  await finish(ref, { state: 'failed', outcome: 'error', errorKind: 'crashed' }, 60_000)
  await past('expires_at', made.id)
  await sweep()
  expect(await row(made.id)).toMatchObject({
    state: 'expired',
    reason_message: expect.stringContaining('before it could be tried again'),
  })
})

test('a concurrency limit above one holds while two machines lease at the same moment', async () => {
  for (let round = 0; round < 15; round++) {
    const two = { concurrencyKey: newKey(), concurrencyLimit: 2 }
    const there = await makePlace(database.db)
    for (const at of [place, place, there, there]) await make(two, at)
    const [here, also] = await Promise.all([lease(10), leaseSome(beside.db, there)])
    expect(here.length + also.length, `round ${round}`).toBeLessThanOrEqual(2)
  }
})

test('a backlog behind a busy lane and a paused agent does not hide what can run', async () => {
  await sql`update agents set max_concurrent = 50 where id = ${place.agentId}`.execute(database.db)
  const busy = Array.from({ length: 300 }, () => newEvent(place, { delivery: { lane: '/busy' } }))
  await insertEvents(database.db, busy, LEASE_MS)
  expect(await lease(5)).toHaveLength(1)
  const free = await makeDelivery(database.db, place, { delivery: { lane: '/free' } })
  expect((await lease(5)).map((d) => d.id)).toEqual([free.id])
})
