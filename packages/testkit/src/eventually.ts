import { setTimeout as sleep } from 'node:timers/promises'

export interface EventuallyOptions {
  timeoutMs?: number
  /** How long to wait before looking again. */
  everyMs?: number
}

/**
 * Calls `check` until it no longer throws and gives back its value. When the time is up the last error is thrown
 * with how long it waited, so a failed `expect` inside is shown as it is.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<T> {
  const { timeoutMs = 10_000, everyMs = 10 } = options
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() >= deadline) throw withWait(error, timeoutMs)
    }
    await sleep(everyMs)
  }
}

function withWait(error: unknown, timeoutMs: number): unknown {
  if (error instanceof Error) error.message += `\n(still so after ${timeoutMs} ms)`
  return error
}
