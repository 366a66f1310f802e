import { createLogger } from '@baton/service'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Connection } from '../connection/connection.ts'
import { createWakeDetector } from './detect-wake.ts'
import { createLeases, type Leases } from './leases.ts'

const HOUR = 3_600_000
const lease = { deliveryId: 'dlv_1', runId: 'run_1', fence: 1 } as never
let now: { wall: number; monotonic: number }
let renews: PromiseWithResolvers<never[]>[]
let renewed: number
let leases: Leases

beforeEach(async () => {
  now = { wall: 1_000_000, monotonic: 1_000 }
  renews = []
  renewed = 0
  const connection: Pick<Connection, 'online' | 'call' | 'renewLink'> = {
    online: async () => undefined,
    renewLink: () => undefined,
    call: (async () => {
      const answer = Promise.withResolvers<never[]>()
      renews.push(answer)
      const got = await answer.promise
      renewed += 1
      return got
    }) as never,
  }
  leases = createLeases({
    connection: connection as Connection,
    held: () => [lease],
    onAnswer: () => undefined,
    logger: createLogger({ name: 'test', level: 'silent' }),
    clock: { wallMs: () => now.wall, monotonicMs: () => now.monotonic },
    random: () => 0.5,
  })
  await leases.start()
})
afterEach(async () => {
  for (const renew of renews) renew.resolve([])
  await leases.stop()
})

const untilRenews = async (count: number) => {
  while (renews.length < count) await new Promise(setImmediate)
}

test('without a sleep a write need not wait for a renew', async () => {
  now.wall += 5_000
  now.monotonic += 5_000
  await leases.ready(new AbortController().signal)
  expect(renewed).toBe(0)
})

test('after a sleep no write goes before a renew that was sent after it is answered', async () => {
  await untilRenews(1)
  now.wall += 8 * HOUR
  let isReady = false
  const ready = leases.ready(new AbortController().signal).then(() => {
    isReady = true
  })
  renews[0]?.resolve([])
  await untilRenews(2)
  expect(isReady).toBe(false)
  renews[1]?.resolve([])
  await ready
  expect(renewed).toBe(2)
})

test('a renew that fails after a sleep is tried again before anything is written', async () => {
  await untilRenews(1)
  renews[0]?.resolve([])
  now.wall += HOUR
  const ready = leases.ready(new AbortController().signal)
  await untilRenews(2)
  renews[1]?.reject(new Error('cut'))
  await untilRenews(3)
  renews[2]?.resolve([])
  await ready
  expect(renewed).toBe(2)
})

test('a process that was stopped writes nothing before a renew, though its timers have not fired yet', async () => {
  await untilRenews(1)
  renews[0]?.resolve([])
  now.wall += 21_000
  now.monotonic += 21_000
  const ready = leases.ready(new AbortController().signal)
  await untilRenews(2)
  expect(renewed).toBe(1)
  renews[1]?.resolve([])
  await ready
  expect(renewed).toBe(2)
})

test('a write that waits for a renew ends with its signal', async () => {
  now.wall += HOUR
  const stopped = new AbortController()
  const ready = leases.ready(stopped.signal)
  await untilRenews(1)
  stopped.abort(new Error('stopped'))
  await expect(ready).rejects.toThrow('stopped')
})

test('a process that stood still for long counts as asleep, a clock set back does not', () => {
  const clock = { wall: 0, monotonic: 0 }
  const detector = createWakeDetector({ wallMs: () => clock.wall, monotonicMs: () => clock.monotonic })
  clock.wall -= HOUR
  clock.monotonic += 1_000
  expect(detector.sleptSinceLastCall()).toBe(false)
  expect(detector.stoodStill(5_000)).toBe(false)
  clock.wall += 60_000
  clock.monotonic += 60_000
  expect(detector.sleptSinceLastCall()).toBe(false)
  expect(detector.stoodStill(5_000)).toBe(true)
})
