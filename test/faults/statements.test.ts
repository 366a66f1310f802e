import {
  acceptDeliveries,
  type Connection,
  connect,
  insertEvents,
  leaseDeliveries,
  loseDeliveries,
  ofMachine,
  renewLeases,
  settleRuns,
  startRuns,
  sweepDeliveries,
} from '@baton/db'
import { LEASE_MS, type LeaseRef } from '@baton/protocol'
import {
  createTestDatabase,
  makeDelivery,
  makePlace,
  newEvent,
  type Place,
  type TestDatabase,
  wireRun,
} from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRandom, printSeed } from './support/seed.ts'

printSeed('statements')
const random = createRandom()
let database: TestDatabase
let connection: Connection
let db: Connection['db']
beforeAll(async () => {
  database = await createTestDatabase()
  connection = connect(database.url, { max: 8 })
  db = connection.db
})
afterAll(async () => {
  await connection?.close()
  await database?.[Symbol.asyncDispose]()
})

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

async function leaseNew(place: Place, count: number): Promise<LeaseRef[]> {
  for (let index = 0; index < count; index++) await makeDelivery(db, place)
  const options = { sessionEpoch: place.sessionEpoch, slots: count, leaseMs: LEASE_MS, bodyBytes: 10 }
  const leased = await leaseDeliveries(db, place.machineId, options)
  return leased.map(({ id, runId, fence }) => ({ deliveryId: id, runId, fence }))
}

/** How often the server had to break a deadlock, whether or not it was tried again. */
async function deadlocks(): Promise<number> {
  const rows = await connection.sql<{ deadlocks: number }[]>`
    select pg_stat_force_next_flush(), deadlocks from pg_stat_database where datname = current_database()`
  return rows[0]?.deadlocks ?? -1
}

test('the same webhooks in another order at the same time never wait for each other in a circle', async () => {
  const place = await makePlace(db)
  const before = await deadlocks()
  for (let round = 0; round < 15; round++) {
    const keys = Array.from({ length: 100 }, (_, index) => `round ${round} hook ${index}`)
    const flushes = [1, 2, 3].map(() =>
      insertEvents(
        db,
        shuffled(keys).map((dedupKey) => newEvent(place, { dedupKey })),
        LEASE_MS,
      ),
    )
    const inserted = (await Promise.all(flushes)).flat().filter((answer) => answer.inserted)
    expect(inserted).toHaveLength(keys.length)
  }
  expect(await deadlocks()).toBe(before)
})

test('everything that a runner and a sweep write about the same runs at the same time never waits in a circle', async () => {
  const place = await makePlace(db)
  const before = await deadlocks()
  for (let round = 0; round < 15; round++) {
    const leases = await leaseNew(place, 10)
    await acceptDeliveries(db, ofMachine(place.machineId, shuffled(leases)), LEASE_MS)
    const starts = leases.map((lease) => ({ ...lease, agoMs: 0, workspace: '/w' }))
    const reports = leases.map((lease) => wireRun(lease, []).settle)
    const settle = () =>
      settleRuns(db, ofMachine(place.machineId, shuffled(reports), { sentAt: 1 }), { retryBaseMs: 0 })
    await Promise.all([
      startRuns(db, ofMachine(place.machineId, shuffled(starts)), LEASE_MS),
      settle(),
      renewLeases(db, ofMachine(place.machineId, shuffled(leases)), LEASE_MS),
      sweepDeliveries(db, { acceptWithinMs: 0, limit: 100 }),
      loseDeliveries(
        db,
        place.machineId,
        leases.map(({ deliveryId }) => deliveryId),
      ),
      ...starts.map((start) => startRuns(db, ofMachine(place.machineId, [start]), LEASE_MS)),
      settle(),
    ])
    expect((await settle()).every(({ result }) => result === 'already')).toBe(true)
  }
  expect(await deadlocks()).toBe(before)
})
