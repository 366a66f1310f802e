import { setImmediate } from 'node:timers/promises'
import type { Clock } from './clock.ts'

/** A clock for tests: time passes only when the test says so. */
export interface ManualClock extends Clock {
  /** Lets time pass. Sleepers wake in their order, and what each does next is done before the next one wakes. */
  advance(ms: number): Promise<void>
  /** Moves the wall clock alone, as when somebody sets it. */
  setWall(now: number): void
  /** How many wait at this moment. */
  sleepers(): number
}

interface Sleeper {
  at: number
  wake: () => void
}

export function createManualClock(now = Date.UTC(2030, 0, 1)): ManualClock {
  let elapsed = 0
  let wall = now
  let sleepers: Sleeper[] = []

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = (): void => {
        sleepers = sleepers.filter((other) => other !== sleeper)
        reject(signal?.reason)
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const sleeper = { at: elapsed + ms, wake }
      signal?.addEventListener('abort', abort, { once: true })
      sleepers.push(sleeper)
    })
  }

  async function advance(ms: number): Promise<void> {
    const end = elapsed + ms
    await setImmediate()
    for (let next = takeNext(end); next; next = takeNext(end)) {
      pass(next.at - elapsed)
      next.wake()
      await setImmediate()
    }
    pass(end - elapsed)
  }

  function takeNext(end: number): Sleeper | undefined {
    const [first] = sleepers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
    sleepers = sleepers.filter((sleeper) => sleeper !== first)
    return first
  }

  function pass(ms: number): void {
    elapsed += ms
    wall += ms
  }

  return {
    now: () => wall,
    monotonic: () => elapsed,
    sleep,
    advance,
    setWall: (to) => {
      wall = to
    },
    sleepers: () => sleepers.length,
  }
}
