import type { LeaseRef } from '@baton/protocol'
import { leaseOne, makeDelivery, makePlace, type Place, useTestDatabase } from '@baton/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLeaseWrites, type LeaseWrites } from './lease-writes.ts'

const database = useTestDatabase()
let writes: LeaseWrites
let place: Place

beforeAll(async () => {
  writes = createLeaseWrites(database.db)
})
afterAll(async () => {
  await writes?.stop()
})
beforeEach(async () => {
  place = await makePlace(database.db)
})

async function leaseNew(): Promise<LeaseRef> {
  await makeDelivery(database.db, place)
  return leaseOne(database.db, place)
}

test('requests that come together are each answered for their own, also when they name the same delivery', async () => {
  const other = await makePlace(database.db)
  const lease = await leaseNew()
  // The first two fill both flights, so that the rest goes into one statement.
  const fillers = [writes.accept(place.machineId, []), writes.renew(place.machineId, [])]
  const answers = await Promise.all([
    writes.accept(other.machineId, [lease]),
    writes.accept(place.machineId, [lease]),
    writes.accept(place.machineId, [lease, lease]),
    writes.accept(other.machineId, [{ ...lease, fence: lease.fence - 1 }, lease]),
  ])
  await Promise.all(fillers)
  expect(answers).toEqual([[false], [true], [true, true], [false, false]])
})

test('what cannot be stored fails alone', async () => {
  const [good, bad] = [await leaseNew(), await leaseNew()]
  await writes.accept(place.machineId, [good, bad])
  const start = { agoMs: 0, workspace: '/w' }
  const [first, second, third] = await Promise.allSettled([
    writes.start(place.machineId, [{ ...good, ...start }]),
    writes.start(place.machineId, [{ ...bad, ...start, workspace: 'a\0b' }]),
    writes.start(place.machineId, [{ ...good, ...start }]),
  ])
  expect(first).toEqual({ status: 'fulfilled', value: [true] })
  expect(second.status).toBe('rejected')
  expect(third).toEqual({ status: 'fulfilled', value: [true] })
})
