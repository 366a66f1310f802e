import { setTimeout as sleep } from 'node:timers/promises'
import { BatonApiError } from './api-error.ts'

const RETRIES = 2
const BASE_MS = 250
const LONGEST_WAIT_MS = 20_000

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** Set on a call that may be sent twice: its idempotency key, or nothing for a call that changes state. */
export const REPEATABLE_HEADER = 'idempotency-key'

/**
 * `fetch` with a time limit for the whole call and two more tries. A call is tried again when it surely was not carried
 * out (nothing listens, or 429 or 503 with `Retry-After`), and after a cut connection or a bare 503 only when repeating it
 * does no harm: a read, or one that carries an idempotency key. A wait that is longer than the time left is not begun.
 */
export function createCarefulFetch({ timeoutMs }: { timeoutMs: number }): Fetch {
  return async (input, init) => {
    const deadline = Date.now() + timeoutMs
    const limit = AbortSignal.timeout(timeoutMs)
    const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit
    for (let attempt = 0; ; attempt++) {
      const tried = await attemptOnce(input, { ...init, signal }, limit, timeoutMs)
      const waitMs = waitBeforeNext(tried, init, attempt)
      if (waitMs === null || Date.now() + waitMs > deadline) return settle(tried)
      if ('response' in tried) await tried.response.body?.cancel()
      await sleep(waitMs, undefined, { signal })
    }
  }
}

type Tried = { response: Response } | { error: unknown }

async function attemptOnce(
  input: Parameters<typeof fetch>[0],
  init: RequestInit,
  limit: AbortSignal,
  timeoutMs: number,
): Promise<Tried> {
  try {
    return { response: await fetch(input, init) }
  } catch (error) {
    if (limit.aborted)
      throw new BatonApiError('timeout', `The relay did not answer within ${timeoutMs / 1000} s.`, {
        cause: error,
      })
    if (init.signal?.aborted) throw error
    return { error }
  }
}

function settle(tried: Tried): Response {
  if ('error' in tried) throw tried.error
  return tried.response
}

function waitBeforeNext(tried: Tried, init: RequestInit | undefined, attempt: number): number | null {
  if (attempt >= RETRIES) return null
  const backoff = BASE_MS * 2 ** attempt * (0.5 + Math.random())
  if ('error' in tried) return wasNeverSent(tried.error) || isRepeatable(init) ? backoff : null
  if (tried.response.status !== 429 && tried.response.status !== 503) return null
  const after = retryAfterMs(tried.response)
  if (after !== null) return after <= LONGEST_WAIT_MS ? after : null
  return isRepeatable(init) ? backoff : null
}

function isRepeatable(init: RequestInit | undefined): boolean {
  return (init?.method ?? 'GET') === 'GET' || new Headers(init?.headers).has(REPEATABLE_HEADER)
}

function wasNeverSent(error: unknown): boolean {
  const code = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined)?.code : undefined
  return code === 'ECONNREFUSED' || code === 'EAI_AGAIN'
}

/** Seconds or an HTTP date, as RFC 9110 has it. */
function retryAfterMs(response: Response): number | null {
  const value = response.headers.get('retry-after')
  if (value === null) return null
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
