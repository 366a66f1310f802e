import { setTimeout as wait } from 'node:timers/promises'

/** Passed in wherever time matters, so that tests need not wait. */
export interface Clock {
  /** Wall time in milliseconds since 1970; it jumps when somebody sets it and after a sleep of the machine. */
  now(): number
  /** Milliseconds that only ever grow; for measuring. */
  monotonic(): number
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Node turns a longer wait into one of 1 ms. */
const longestWaitMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    for (let left = ms; left > 0; left -= longestWaitMs) await waitOnce(Math.min(left, longestWaitMs), signal)
    signal?.throwIfAborted()
  },
}

async function waitOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(ms, undefined, signal && { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
