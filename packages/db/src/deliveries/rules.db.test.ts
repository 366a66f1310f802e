import { DEFAULT_RULES, type JobId, LEASE_MS, type RunRules } from '@baton/protocol'
import {
  LIMITS,
  makeDelivery,
  makePlace,
  newEvent,
  newTestId,
  type Place,
  useTestDatabase,
} from '@baton/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  acceptDeliveries,
  type Connection,
  connect,
  type DeliveryRules,
  explainForgotten,
  giveUpDelivery,
  insertEvents,
  leaseDeliveries,
  moveDelivery,
  requestCancel,
  settleRuns,
  startRuns,
  sweepDeliveries,
} from '../index.ts'
import { ofMachine } from './of-machine.ts'

const database = useTestDatabase()
/** Another relay's. */
let beside: Connection
let place: Place
let keys = 0

beforeAll(async () => {
  beside = connect(database.url)
})
afterAll(async () => {
  await beside?.close()
})
beforeEach(async () => {
  place = await makePlace(database.db)
})

const rules = (only: Partial<DeliveryRules>): DeliveryRules => ({
  priority: 0,
  delayMs: 0,
  ttlMs: null,
  stallMs: null,
  concurrencyKey: null,
  concurrencyLimit: null,
  overlap: 'queue',
  overlapKey: null,
  conversation: null,
  ...only,
})
const overlapping = (overlap: DeliveryRules['overlap']) => rules({ overlap, overlapKey: `key-${++keys}` })
const make = (only: Partial<DeliveryRules>, at = place) =>
  makeDelivery(database.db, at, { delivery: { rules: rules(only) } })
const lease = (slots = 10, at = place) =>
  leaseDeliveries(database.db, at.machineId, {
    sessionEpoch: at.sessionEpoch,
    slots,
    leaseMs: LEASE_MS,
    bodyBytes: 0,
  })
const sweep = () => sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 })
const row = (id: string) =>
  database.db
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '=', id as never)
    .executeTakeFirstOrThrow()
const past = (column: 'parked_until' | 'expires_at' | 'state_since', id: string) =>
  sql`update deliveries set ${sql.ref(column)} = now() - interval '1 hour' where id = ${id}`.execute(
    database.db,
  )

async function run(slots = 1, at = place) {
  const leased = await lease(slots, at)
  const refs = leased.map(({ id, runId, fence }) => ({ deliveryId: id, runId, fence }))
  if (refs.length === 0) return refs
  await acceptDeliveries(database.db, ofMachine(at.machineId, refs), LEASE_MS)
  await startRuns(
    database.db,
    ofMachine(
      at.machineId,
      refs.map((ref) => ({ ...ref, agoMs: 0, workspace: '/w' })),
    ),
    LEASE_MS,
  )
  return refs
}

async function makeJob(only: Partial<RunRules>): Promise<JobId> {
  const id = newTestId('job')
  await database.db
    .insertInto('jobs')
    .values({
      id,
      organization_id: place.organizationId,
      agent_id: place.agentId,
      key: id,
      name: id,
      prompt: 'x',
      limits: LIMITS,
      rules: { ...DEFAULT_RULES, ...only },
    })
    .execute()
  return id
}

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
  const one = { concurrencyKey: `repo-${++keys}`, concurrencyLimit: 1 }
  await make(one)
  await make(one)
  await make(one, other)
  expect(await lease()).toHaveLength(1)
  expect(await lease()).toEqual([])
  expect(await lease(10, other)).toEqual([])
})

test('a concurrency limit above one lets that many run', async () => {
  const two = { concurrencyKey: `repo-${++keys}`, concurrencyLimit: 2 }
  for (let i = 0; i < 4; i++) await make(two)
  expect(await lease()).toHaveLength(2)
  expect(await lease()).toEqual([])
})

test('a backlog behind a key at its limit does not hide what waits for no key or for another', async () => {
  const keyed = (name: string) => ({
    delivery: { rules: rules({ concurrencyKey: name, concurrencyLimit: 1 }) },
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
  const jobId = await makeJob({ perHour: 2 })
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
  const jobId = await makeJob({ perHour: 1 })
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
const late = { delivery: { lane: '/late', rules: rules({ ttlMs: 60_000 }) } }

test('what expires between two attempts does not say that no machine took it', async () => {
  const made = await make({ ttlMs: 60_000 })
  const [ref] = await run()
  if (!ref) throw new Error('nothing ran')
  await sql`update deliveries set repeatable = true where id = ${made.id}`.execute(database.db)
  const failed = { ...finished(ref), state: 'failed', outcome: 'error', errorKind: 'crashed' } as const
  await settleRuns(database.db, ofMachine(place.machineId, [failed], { sentAt: 1 }), {
    retryBaseMs: 60_000,
  })
  await past('expires_at', made.id)
  await sweep()
  expect(await row(made.id)).toMatchObject({
    state: 'expired',
    reason_message: expect.stringContaining('before it could be tried again'),
  })
})

test('a concurrency limit above one holds while two machines lease at the same moment', async () => {
  for (let round = 0; round < 15; round++) {
    const two = { concurrencyKey: `repo-${++keys}`, concurrencyLimit: 2 }
    const there = await makePlace(database.db)
    for (const at of [place, place, there, there]) await make(two, at)
    const [here, also] = await Promise.all([lease(10), leaseFrom(beside, there)])
    expect(here.length + also.length, `round ${round}`).toBeLessThanOrEqual(2)
  }
})
const leaseFrom = (from: Connection, at: Place) =>
  leaseDeliveries(from.db, at.machineId, {
    sessionEpoch: at.sessionEpoch,
    slots: 10,
    leaseMs: LEASE_MS,
    bodyBytes: 0,
  })

test('skip: while one is not finished, a new event starts nothing and says why', async () => {
  const skip = overlapping('skip')
  const first = await make(skip)
  const event = newEvent(place, { delivery: { rules: skip } })
  const [answer] = await insertEvents(database.db, [event], LEASE_MS)
  expect(answer).toMatchObject({ inserted: true, deliveries: [] })
  const stored = await database.db
    .selectFrom('events')
    .selectAll()
    .where('id', '=', event.id)
    .executeTakeFirst()
  expect(stored).toMatchObject({ state: 'ignored', reason: 'overlap_skipped' })
  const [ref] = await run()
  if (!ref) throw new Error('nothing ran')
  await settleRuns(database.db, ofMachine(place.machineId, [finished(ref)], { sentAt: 1 }), {
    retryBaseMs: 0,
  })
  expect(await row(first.id)).toMatchObject({ state: 'succeeded' })
  expect((await make(skip)).id).not.toBe(first.id)
})

test('a skipped event whose explanation was lost in a crash gets it at the next start, and no other event does', async () => {
  const kept = await make({})
  const id = `evt_${Date.now().toString(16).padStart(12, '0')}${'0'.repeat(20)}` as const
  await insertEvents(database.db, [newEvent(place, { id, deliveries: [] })], LEASE_MS)
  expect(await explainForgotten(database.db)).toBe(0)
  await sql`update events set received_at = now() - interval '2 minutes' where id in (${id}, ${kept.eventId})`.execute(
    database.db,
  )
  expect(await explainForgotten(database.db)).toBe(1)
  const event = await database.db.selectFrom('events').selectAll().where('id', '=', id).executeTakeFirst()
  expect(event).toMatchObject({ state: 'ignored', reason: 'overlap_skipped' })
})

test('coalesce: the newest event takes the place of one that waits, but not of one that runs', async () => {
  const coalesce = overlapping('coalesce')
  const first = newEvent(place, { delivery: { rules: coalesce, prompt: 'one' } })
  const second = newEvent(place, { delivery: { rules: coalesce, prompt: 'two' } })
  const third = newEvent(place, { delivery: { rules: coalesce, prompt: 'three' } })
  await insertEvents(database.db, [first], LEASE_MS)
  const [b, c] = await insertEvents(database.db, [second, third], LEASE_MS)
  const id = first.deliveries[0]?.id ?? ''
  expect(b?.deliveries.map((d) => d.id)).toEqual([id])
  expect(c?.deliveries.map((d) => d.id)).toEqual([id])
  expect(await row(id)).toMatchObject({ state: 'pending', prompt: 'three', event_id: third.id })
  const states = await database.db
    .selectFrom('events')
    .select(['id', 'reason'])
    .where('id', 'in', [first.id, second.id, third.id])
    .orderBy('id')
    .execute()
  const repeats = await insertEvents(database.db, [first, second, third], LEASE_MS)
  expect(repeats.map((answer) => answer.deliveries.map((d) => d.id))).toEqual([[id], [id], [id]])
  expect(Object.fromEntries(states.map((event) => [event.id, event.reason]))).toEqual({
    [first.id]: 'coalesced',
    [second.id]: 'coalesced',
    [third.id]: null,
  })
  await run()
  expect((await make(coalesce)).id).not.toBe(id)
})

test('coalesce: of events that two relays store at the same moment all but one say so, and one delivery waits', async () => {
  for (let round = 0; round < 15; round++) {
    const coalesce = overlapping('coalesce')
    const at = await makePlace(database.db)
    const events = Array.from({ length: 4 }, () => newEvent(at, { delivery: { rules: coalesce } }))
    const answers = await Promise.all(
      events.map((event, i) => insertEvents((i % 2 ? database : beside).db, [event], LEASE_MS)),
    )
    expect(new Set(answers.flat().flatMap((answer) => answer.deliveries.map(({ id }) => id))).size).toBe(1)
    const repeats = await insertEvents(database.db, events, LEASE_MS)
    expect(repeats.map(({ deliveries }) => deliveries)).toEqual(answers.map(([answer]) => answer?.deliveries))
    const { rows: said } = await sql<{ state: string; reason: string | null }>`
      select state, reason from events where organization_id = ${at.organizationId} order by state desc`.execute(
      database.db,
    )
    const coalesced = { state: 'ignored', reason: 'coalesced' }
    expect(said).toEqual([{ state: 'matched', reason: null }, coalesced, coalesced, coalesced])
  }
})

test('coalesce: a lease that ends goes back although a newer one waits', async () => {
  const coalesce = overlapping('coalesce')
  const old = await make(coalesce)
  await lease(1)
  const newer = await make(coalesce)
  expect(newer.id).not.toBe(old.id)
  await sql`update deliveries set lease_expires_at = now() - interval '1 s' where id = ${old.id}`.execute(
    database.db,
  )
  expect(await sweep()).toMatchObject([{ id: old.id, moved: 'unaccepted' }])
  expect((await make(coalesce)).id).toBe(newer.id)
})

test('replace: the newer one stops the one that runs and cancels the one that waits', async () => {
  const replace = overlapping('replace')
  const running = await make(replace)
  await run()
  const waiting = await make(replace)
  expect(await row(running.id)).toMatchObject({
    state: 'running',
    cancel_reason: 'A newer event replaced it.',
  })
  const event = newEvent(place, { delivery: { rules: replace } })
  const [answer] = await insertEvents(database.db, [event], LEASE_MS)
  expect(await row(waiting.id)).toMatchObject({ state: 'cancelled', reason: 'replaced' })
  expect(answer?.replaced.map(({ id, mustStop }) => ({ id, mustStop })).toSorted(byId)).toEqual(
    [
      { id: running.id, mustStop: true },
      { id: waiting.id, mustStop: false },
    ].toSorted(byId),
  )
})

test('replace: of two that came in one batch the newer one stays', async () => {
  const replace = overlapping('replace')
  const twins = [
    newEvent(place, { delivery: { rules: replace } }),
    newEvent(place, { delivery: { rules: replace } }),
  ]
  await insertEvents(database.db, twins, LEASE_MS)
  await sweep()
  const ids = twins.map((event) => event.deliveries[0]?.id ?? '').toSorted()
  expect((await row(ids[0] ?? '')).state).toBe('cancelled')
  expect((await row(ids[1] ?? '')).state).toBe('pending')
})

test('replace: of two that were stored and started at the same moment the older one is stopped', async () => {
  const replace = overlapping('replace')
  const twins = [
    newEvent(place, { delivery: { rules: replace } }),
    newEvent(place, { delivery: { rules: replace } }),
  ]
  await insertEvents(database.db, twins, LEASE_MS)
  expect(await run(10)).toHaveLength(2)
  const [older, newer] = twins.map((event) => event.deliveries[0]?.id ?? '').toSorted()
  expect(await sweep()).toMatchObject([{ id: older, moved: 'stopped' }])
  expect(await row(older ?? '')).toMatchObject({
    state: 'running',
    finished_at: null,
    cancel_reason: 'A newer event replaced it.',
  })
  expect(await row(newer ?? '')).toMatchObject({ state: 'running', cancel_requested_at: null })
  expect(await sweep()).toEqual([])
})

test('replace: one that is being stopped replaces nothing, whatever the clock of its relay said', async () => {
  const replace = overlapping('replace')
  const delivery = { id: `dlv_${'f'.repeat(32)}` as const, rules: replace }
  const before = newEvent(place, { delivery })
  await insertEvents(database.db, [before], LEASE_MS)
  await run()
  const after = await make(replace)
  expect(await sweep()).toEqual([])
  expect((await row(after.id)).state).toBe('pending')
})

async function stall(only: Partial<DeliveryRules> = {}) {
  const made = await make(only)
  const [ref] = await run()
  if (!ref) throw new Error('nothing ran')
  await sql`update deliveries set lease_expires_at = now() - interval '1 s' where id = ${made.id}`.execute(
    database.db,
  )
  expect(await sweep()).toMatchObject([{ id: made.id, moved: 'stalled' }])
  return ref
}

test('a run whose machine stays away longer than its job waits has failed, and its late report is kept on it', async () => {
  const ref = await stall({ stallMs: 60_000 })
  await past('state_since', ref.deliveryId)
  expect(await sweep()).toMatchObject([{ moved: 'gave_up' }])
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'failed', reason: 'stall_limit' })
  const [late] = await settleRuns(database.db, ofMachine(place.machineId, [finished(ref)], { sentAt: 1 }), {
    retryBaseMs: 0,
  })
  expect(late?.result).toBe('superseded')
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'failed' })
})

test('a person can give a stalled run to another machine; what the first one reports changes nothing else', async () => {
  const ref = await stall()
  const other = await makePlace(database.db)
  const to = { agentId: other.agentId, machineId: other.machineId, workspace: null, lane: other.agentId }
  expect(await moveDelivery(database.db, place.organizationId, ref.deliveryId, to)).not.toBeNull()
  const [again] = await run(1, other)
  expect(again?.fence).toBeGreaterThan(ref.fence)
  expect(again?.runId).not.toBe(ref.runId)
  const [late] = await settleRuns(database.db, ofMachine(place.machineId, [finished(ref)], { sentAt: 1 }), {
    retryBaseMs: 0,
  })
  expect(late?.result).toBe('superseded')
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'running', run_id: again?.runId })
})

test('a person can give a stalled run up, and only a stalled one', async () => {
  const ref = await stall()
  expect(await giveUpDelivery(database.db, place.organizationId, ref.deliveryId)).toBe(true)
  expect(await giveUpDelivery(database.db, place.organizationId, ref.deliveryId)).toBe(false)
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'failed', reason: 'given_up' })
})

test('a stalled run that was to be stopped is cancelled when a person gives it up', async () => {
  const ref = await stall()
  await requestCancel(database.db, place.organizationId, ref.deliveryId, 'enough')
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'stalled' })
  expect(await giveUpDelivery(database.db, place.organizationId, ref.deliveryId)).toBe(true)
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'cancelled', reason: 'given_up' })
})

test('what was accepted and lapsed is leased anew only when its machine was heard of since', async () => {
  const made = await make({})
  const refs = (await lease()).map(({ id, runId, fence }) => ({ deliveryId: id, runId, fence }))
  await acceptDeliveries(database.db, ofMachine(place.machineId, refs), LEASE_MS)
  const heardOf = (at: string) =>
    sql`update machines set last_heartbeat_at = now() + ${at}::text::interval where id = ${place.machineId}`.execute(
      database.db,
    )
  await heardOf('-20 s')
  await sql`update deliveries set lease_expires_at = now() - interval '1 s' where id = ${made.id}`.execute(
    database.db,
  )
  expect(await sweep()).toMatchObject([{ id: made.id, moved: 'lapsed' }])
  expect(await lease()).toEqual([])
  await heardOf('0 s')
  await sql`update deliveries set state_since = now() - interval '10 s' where id = ${made.id}`.execute(
    database.db,
  )
  expect(await lease(), 'it may be about to say that it holds it').toEqual([])
  await heardOf('-2 s')
  expect(await lease()).toHaveLength(1)
})

test('a backlog behind a busy lane and a paused agent does not hide what can run', async () => {
  await sql`update agents set max_concurrent = 50 where id = ${place.agentId}`.execute(database.db)
  const busy = Array.from({ length: 300 }, () => newEvent(place, { delivery: { lane: '/busy' } }))
  await insertEvents(database.db, busy, LEASE_MS)
  expect(await lease(5)).toHaveLength(1)
  const free = await makeDelivery(database.db, place, { delivery: { lane: '/free' } })
  expect((await lease(5)).map((d) => d.id)).toEqual([free.id])
})

const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1)
const finished = (ref: { deliveryId: string; runId: string; fence: number }) =>
  ({
    ...ref,
    finishKey: `finish-${ref.runId}`,
    state: 'succeeded',
    outcome: 'done',
    errorKind: null,
    message: null,
    exitCode: 0,
    signal: null,
    sessionId: null,
    usage: null,
    result: null,
    killProof: null,
    finalSeq: 0,
    finalHash: '0'.repeat(64),
    startedAt: null,
    firstOutputAt: null,
    finishedAt: 1,
  }) as Parameters<typeof settleRuns>[1][number]
