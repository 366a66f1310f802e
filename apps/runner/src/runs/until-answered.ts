import { setTimeout as wait } from 'node:timers/promises'
import { isFinalRefusal, isOutcomeUnknown } from '../connection/call-error.ts'

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000

export type Writes = {
  /** Resolves while writes may be sent: a session is open and, after a sleep, a renew was answered. */
  ready(signal: AbortSignal): Promise<void>
  onError(error: unknown): void
}

/**
 * Makes the call until it has an answer, for days if need be: every call of a runner can be repeated with the same
 * meaning. Rejects only when `signal` aborts or the relay refuses this runner for good.
 */
export async function untilAnswered<T>(
  writes: Writes,
  signal: AbortSignal,
  call: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    await writes.ready(signal)
    try {
      return await call()
    } catch (error) {
      if (signal.aborted || isFinalRefusal(error)) throw error
      if (!isOutcomeUnknown(error)) writes.onError(error)
    }
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
    await wait(pause * (0.5 + Math.random() / 2), undefined, { signal })
  }
}
