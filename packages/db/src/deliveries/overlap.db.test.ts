import { LEASE_MS } from '@baton/protocol'
import { makePlace, newEvent } from '@baton/testkit'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { overlapping, useRulesPlace } from '../../test/support/use-rules-place.ts'
import { explainForgotten, insertEvents } from '../index.ts'

const { database, place, beside, lease, make, sweep, row, past, run, finish } = useRulesPlace()

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
  await finish(ref)
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
  await past('lease_expires_at', old.id)
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

const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1)
