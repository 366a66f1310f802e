import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createManualClock } from './manual-clock.ts'
import { createPollLoop, type PollLoopOptions } from './poll-loop.ts'
import { stressService } from './stress-service.ts'

function looping(options: Partial<PollLoopOptions> = {}) {
  const clock = createManualClock()
  const errors: unknown[] = []
  let passes = 0
  const loop = createPollLoop({
    everyMs: 1_000,
    clock,
    onError: (error) => errors.push(error),
    ...options,
    run: async (signal) => {
      passes += 1
      await options.run?.(signal)
    },
  })
  return { loop, clock, errors, passes: () => passes }
}

test('a pass runs at the start and then after every interval', async () => {
  const { loop, clock, passes } = looping()
  await loop.start()
  expect(passes()).toBe(1)
  await clock.advance(3_500)
  expect(passes()).toBe(4)
  await loop.stop()
})

test('a wake while it waits starts a pass at once', async () => {
  const { loop, clock, passes } = looping()
  await loop.start()
  await clock.advance(10)
  loop.wake()
  await clock.advance(0)
  expect(passes()).toBe(2)
  await loop.stop()
})

test('a wake during a pass leads to one more pass, however many wakes there were', async () => {
  const gate = Promise.withResolvers<void>()
  const { loop, clock, passes } = looping({ run: () => gate.promise })
  await loop.start()
  loop.wake()
  loop.wake()
  gate.resolve()
  await clock.advance(0)
  expect(passes()).toBe(2)
  await loop.stop()
})

test('a pass that fails is reported and the next one comes', async () => {
  const { loop, clock, errors, passes } = looping({
    run: async () => Promise.reject(new Error('no database')),
  })
  await loop.start()
  await clock.advance(1_000)
  expect(passes()).toBe(2)
  expect(errors.map(String)).toEqual(['Error: no database', 'Error: no database'])
  await loop.stop()
})

test('stop aborts the pass under way, waits for it and reports no error for that', async () => {
  let ended = false
  const { loop, errors } = looping({
    run: async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await setImmediate()
      ended = true
      throw signal.reason
    },
  })
  await loop.start()
  await loop.stop()
  expect(ended).toBe(true)
  expect(errors).toEqual([])
})

test('jitter spreads the wait over its share', async () => {
  for (const [random, ms] of [
    [0, 800],
    [1, 1_200],
  ] as const) {
    const { loop, clock, passes } = looping({ jitter: 0.2, random: () => random })
    await loop.start()
    await clock.advance(ms - 1)
    expect(passes()).toBe(1)
    await clock.advance(1)
    expect(passes()).toBe(2)
    await loop.stop()
  }
})

test('a poll loop is a service', async () => {
  await stressService(() => createPollLoop({ everyMs: 1, run: async () => {}, onError: () => {} }))
})
