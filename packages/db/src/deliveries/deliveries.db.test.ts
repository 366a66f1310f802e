import { LEASE_MS, type SettleReport } from '@baton/protocol'
import {
  acceptOne,
  deliveryRow,
  lapse,
  leaseOne,
  leaseSome,
  makeDelivery,
  makePlace,
  newEvent,
  refOf,
  reportOf,
  runRow,
  settleReports,
  usePlace,
  useTestDatabase,
} from '@baton/testkit'
import { expect, test } from 'vitest'
import { acceptDeliveries, insertEvents, listUnacceptedLeases, sweepDeliveries } from '../index.ts'
import { ofMachine } from './of-machine.ts'

const database = useTestDatabase()

const place = usePlace(database)

const lease = (slots = 10, sessionEpoch = place.sessionEpoch) =>
  leaseSome(database.db, { ...place, sessionEpoch }, slots)
const settle = (...reports: SettleReport[]) => settleReports(database.db, place, reports)

test('a request that the sender repeats becomes one event and is answered like the first', async () => {
  const first = newEvent(place, { dedupKey: 'same' })
  const again = newEvent(place, { dedupKey: 'same' })
  const other = newEvent(place, { dedupKey: 'other' })
  const [one] = await insertEvents(database.db, [first], LEASE_MS)
  const answers = await insertEvents(database.db, [again, other], LEASE_MS)
  expect(answers[0]).toEqual({ ...one, inserted: false })
  expect(answers[1]).toMatchObject({ eventId: other.id, inserted: true })
})

test('two repeats inside one group commit become one event', async () => {
  const twins = [newEvent(place, { dedupKey: 'twin' }), newEvent(place, { dedupKey: 'twin' })]
  const answers = await insertEvents(database.db, twins, LEASE_MS)
  expect(answers.map((answer) => answer.inserted)).toEqual([true, false])
  expect(answers[1]?.eventId).toBe(twins[0]?.id)
})

test('bodies come back byte for byte, also binary ones and ones with NUL', async () => {
  const bodies = [
    Buffer.from('{"title":"héllo 🚀 \\"quoted\\" \\u0000"}'),
    Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    Buffer.from('a\0b'),
    Buffer.alloc(0),
    Buffer.from('last'),
  ]
  const events = bodies.map((body) => newEvent(place, { body }))
  await insertEvents(database.db, events, LEASE_MS)
  for (const event of events) {
    const row = await database.db
      .selectFrom('events')
      .select('body')
      .where('id', '=', event.id)
      .executeTakeFirst()
    expect(row?.body.equals(event.body)).toBe(true)
  }
})

test('a delivery for a free session is stored already leased, under a fence of its own', async () => {
  const made = await makeDelivery(database.db, place, { delivery: { leaseEpoch: place.sessionEpoch } })
  expect(made.fence).toBeGreaterThan(0)
  expect(await deliveryRow(database.db, made.id)).toMatchObject({ state: 'leased', fence: made.fence })
})

test('a delivery for a session that is over is stored pending', async () => {
  const made = await makeDelivery(database.db, place, { delivery: { leaseEpoch: 99 } })
  expect(await deliveryRow(database.db, made.id)).toMatchObject({ state: 'pending', fence: 0 })
})

test('two callers never get the same delivery', async () => {
  await insertEvents(
    database.db,
    Array.from({ length: 40 }, () => newEvent(place)),
    LEASE_MS,
  )
  const leased = (await Promise.all([lease(30), lease(30)])).flat()
  expect(new Set(leased.map((d) => d.id)).size).toBe(leased.length)
  expect(new Set(leased.map((d) => d.fence)).size).toBe(leased.length)
})

test('an older session of the machine gets nothing', async () => {
  await makeDelivery(database.db, place)
  expect(await lease(5, 0)).toEqual([])
  expect(await lease(5)).toHaveLength(1)
})

test('one workspace is never leased twice at once', async () => {
  await makeDelivery(database.db, place, { delivery: { lane: '/repo' } })
  await makeDelivery(database.db, place, { delivery: { lane: '/repo' } })
  await makeDelivery(database.db, place, { delivery: { lane: '/other' } })
  const first = await lease(5)
  expect(new Set(first.map((d) => d.lane))).toEqual(new Set(['/other', '/repo']))
  expect(await lease(5)).toEqual([])
  const repo = first.find((d) => d.lane === '/repo')
  if (!repo) throw new Error('no lease of /repo')
  const held = refOf(repo)
  await acceptDeliveries(database.db, ofMachine(place.machineId, [held]), LEASE_MS)
  expect(await settle(reportOf(held))).toEqual(['settled'])
  expect(await lease(5)).toHaveLength(1)
})

test('an agent never has more live deliveries than it may', async () => {
  Object.assign(place, await makePlace(database.db, { maxConcurrent: 2 }))
  for (let i = 0; i < 4; i++) await makeDelivery(database.db, place)
  expect(await lease(5)).toHaveLength(2)
  expect(await lease(5)).toHaveLength(0)
})

test('a lease that nobody accepted goes back, and its old holder can no longer accept it', async () => {
  const made = await makeDelivery(database.db, place)
  const held = await leaseOne(database.db, place)
  expect(await listUnacceptedLeases(database.db, place.machineId, 1000)).toHaveLength(1)
  await lapse(database.db, held.deliveryId)
  expect((await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 }))[0]).toMatchObject({
    id: made.id,
    moved: 'unaccepted',
  })
  const next = await leaseOne(database.db, place)
  expect(next.fence).toBeGreaterThan(held.fence)
  expect(await acceptDeliveries(database.db, ofMachine(place.machineId, [held]), LEASE_MS)).toEqual(new Set())
  expect(await acceptDeliveries(database.db, ofMachine(place.machineId, [next]), LEASE_MS)).toEqual(
    new Set([made.id]),
  )
})

test('accepting twice makes one run and one attempt', async () => {
  await makeDelivery(database.db, place)
  const held = await acceptOne(database.db, place)
  await acceptDeliveries(database.db, ofMachine(place.machineId, [held]), LEASE_MS)
  expect(await deliveryRow(database.db, held.deliveryId)).toMatchObject({ state: 'leased', attempt: 1 })
  expect(await runRow(database.db, held.runId)).toMatchObject({ state: 'starting', attempt: 1, last_seq: 0 })
})
