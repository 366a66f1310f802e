export interface BackoffOptions {
  baseMs: number
  capMs: number
  /** Between 0 and 1. */
  random?: () => number
}

/**
 * How long to wait before try `attempt`, where 1 is the first wait: anything from 0 up to `baseMs` doubled each time,
 * at most `capMs`. Full jitter spreads a crowd that was cut off at the same moment better than any other
 * (AWS Architecture Blog, "Exponential Backoff and Jitter").
 */
export function backoff(options: BackoffOptions): (attempt: number) => number {
  const { baseMs, capMs, random = Math.random } = options
  return (attempt) => Math.round(random() * Math.min(capMs, baseMs * 2 ** Math.max(0, attempt - 1)))
}
