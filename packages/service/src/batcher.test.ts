import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BatcherOptions, createBatcher } from './batcher.ts'

/** Flushes end when the test says so. */
function held(options: Partial<BatcherOptions<number, number>> = {}) {
  const flights: {
    items: number[]
    land: (results?: (number | Error)[]) => void
    crash: (error: Error) => void
  }[] = []
  const batcher = createBatcher<number, number>({
    ...options,
    flush: (items) =>
      new Promise((resolve, reject) => {
        flights.push({ items, land: (results = items) => resolve(results), crash: reject })
      }),
  })
  return { batcher, flights }
}

test('what arrives while enough flushes run goes together into the next one', async () => {
  const { batcher, flights } = held()
  const added = [batcher.add(1)]
  await setImmediate()
  added.push(batcher.add(2))
  await setImmediate()
  added.push(batcher.add(3), batcher.add(4), batcher.add(5))
  await setImmediate()
  expect(flights.map((flight) => flight.items)).toEqual([[1], [2]])
  expect(batcher.waiting()).toBe(3)
  flights[0]?.land()
  await setImmediate()
  expect(flights.map((flight) => flight.items)).toEqual([[1], [2], [3, 4, 5]])
  flights[1]?.land()
  flights[2]?.land()
  expect(await Promise.all(added)).toEqual([1, 2, 3, 4, 5])
})

test('a further flush starts beside another only when as many items wait as the last one took', async () => {
  const { batcher, flights } = held({ maxInFlight: 3 })
  const added = [batcher.add(1), batcher.add(2), batcher.add(3)]
  await setImmediate()
  added.push(batcher.add(4), batcher.add(5))
  await setImmediate()
  expect(flights.map((flight) => flight.items)).toEqual([[1, 2, 3]])
  added.push(batcher.add(6))
  await setImmediate()
  added.push(batcher.add(7))
  await setImmediate()
  expect(flights.map((flight) => flight.items)).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ])
  flights[1]?.land()
  await setImmediate()
  expect(flights).toHaveLength(2)
  flights[0]?.land()
  await setImmediate()
  expect(flights[2]?.items).toEqual([7])
  flights[2]?.land()
  expect(await Promise.all(added)).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('what arrives in one turn of the event loop goes together, whatever brought it', async () => {
  const { batcher, flights } = held()
  const added: Promise<number>[] = []
  queueMicrotask(() => added.push(batcher.add(1)))
  process.nextTick(() => added.push(batcher.add(2)))
  await setImmediate()
  await setImmediate()
  expect(flights.map((flight) => flight.items.toSorted((a, b) => a - b))).toEqual([[1, 2]])
  flights[0]?.land()
  expect((await Promise.all(added)).toSorted((a, b) => a - b)).toEqual([1, 2])
})

test('a flush takes no more items and bytes than it may, but always one', async () => {
  const { batcher, flights } = held({ maxInFlight: 1, maxItems: 3, maxBytes: 10, sizeOf: (item) => item })
  const added = [4, 4, 4, 99, 1, 1, 1, 1].map((item) => batcher.add(item))
  for (let flight = 0; flight < 5; flight++) {
    await setImmediate()
    flights[flight]?.land()
  }
  await Promise.all(added)
  expect(flights.map((flight) => flight.items)).toEqual([[4, 4], [4], [99], [1, 1, 1], [1]])
})

test('a flush that fails rejects its own items and no others', async () => {
  const { batcher, flights } = held({ maxInFlight: 1 })
  const first = batcher.add(1)
  await setImmediate()
  const second = batcher.add(2)
  flights[0]?.crash(new Error('connection lost'))
  await expect(first).rejects.toThrow('connection lost')
  await setImmediate()
  flights[1]?.land()
  expect(await second).toBe(2)
})

test('one item can be refused without the others of its flush', async () => {
  const { batcher, flights } = held()
  const added = Promise.allSettled([batcher.add(1), batcher.add(2)])
  await setImmediate()
  flights[0]?.land([10, new Error('too large')])
  expect(await added).toMatchObject([
    { status: 'fulfilled', value: 10 },
    { status: 'rejected', reason: { message: 'too large' } },
  ])
})

test('a flush that answers the wrong number of results rejects all of its items', async () => {
  const { batcher, flights } = held()
  const added = Promise.allSettled([batcher.add(1), batcher.add(2)])
  await setImmediate()
  flights[0]?.land([1])
  for (const { status } of await added) expect(status).toBe('rejected')
})

test('stop waits for everything that was added and refuses what comes later', async () => {
  const { batcher, flights } = held({ maxInFlight: 1 })
  const added = [batcher.add(1)]
  await setImmediate()
  added.push(batcher.add(2))
  let stopped = false
  const stopping = Promise.all([batcher.stop(), batcher.stop()]).then(() => {
    stopped = true
  })
  await expect(batcher.add(3)).rejects.toThrow('has stopped')
  flights[0]?.land()
  await setImmediate()
  expect(stopped).toBe(false)
  flights[1]?.land()
  await stopping
  expect(await Promise.all(added)).toEqual([1, 2])
})

test('whatever the timing, every item gets its own answer and no more flushes run than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      async (scheduler, maxInFlight, items) => {
        let running = 0
        let most = 0
        const batcher = createBatcher<number, string>({
          maxInFlight,
          maxItems: 5,
          flush: async (batch) => {
            most = Math.max(most, ++running)
            await scheduler.schedule(Promise.resolve())
            running -= 1
            return batch.map(String)
          },
        })
        const answers = items.map((item) => batcher.add(item))
        await scheduler.waitFor(Promise.all([...answers, batcher.stop()]))
        expect(await Promise.all(answers)).toEqual(items.map(String))
        expect(most).toBeLessThanOrEqual(maxInFlight)
      },
    ),
    { numRuns: 50 },
  )
})
