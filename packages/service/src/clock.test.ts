import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'
import { createManualClock } from './manual-clock.ts'

test('a sleep lasts as long as it was asked to', async () => {
  const before = systemClock.monotonic()
  await systemClock.sleep(20)
  expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(19)
})

test('a sleep longer than a Node timer can be does not end at once', async () => {
  const signal = AbortSignal.timeout(30)
  await expect(systemClock.sleep(2 ** 31 + 5, signal)).rejects.toThrow('aborted due to timeout')
})

test.each([
  ['the system clock', systemClock],
  ['the manual clock', createManualClock()],
])('an abort ends a sleep on %s with its own reason, before and during', async (_, clock) => {
  const reason = new Error('enough')
  await expect(clock.sleep(10_000, AbortSignal.abort(reason))).rejects.toBe(reason)
  const controller = new AbortController()
  const sleeping = clock.sleep(10_000, controller.signal)
  controller.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
})

test('manual time wakes sleepers in their order, also those that begin to sleep on the way', async () => {
  const clock = createManualClock(1_000)
  const woken: [string, number][] = []
  const sleeper = async (name: string, ...waits: number[]) => {
    for (const wait of waits) {
      await clock.sleep(wait)
      woken.push([name, clock.now()])
    }
  }
  const all = Promise.all([sleeper('slow', 50), sleeper('twice', 10, 20)])
  await clock.advance(100)
  await all
  expect(woken).toEqual([
    ['twice', 1_010],
    ['twice', 1_030],
    ['slow', 1_050],
  ])
  expect(clock.monotonic()).toBe(100)
  expect(clock.sleepers()).toBe(0)
})

test('setting the wall clock moves no other time', async () => {
  const clock = createManualClock(1_000)
  clock.setWall(9_000)
  await clock.advance(5)
  expect([clock.now(), clock.monotonic()]).toEqual([9_005, 5])
})
