export type RateAnswer = {
  ok: boolean
  /** `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers. */
  headers: Record<string, string>
  retryAfterS: number
}

const WINDOW_MS = 60_000
/** So many callers are remembered; beyond that the oldest window is forgotten. */
const CALLERS = 10_000

/**
 * Counts requests of each caller in windows of one minute, in the memory of this relay: several relays each give the
 * whole limit. A caller's window begins with its first request.
 */
export function createRateLimits(limit: number, now: () => number) {
  const windows = new Map<string, { since: number; count: number }>()

  function windowOf(caller: string, at: number) {
    const known = windows.get(caller)
    if (known && at - known.since < WINDOW_MS) return known
    windows.delete(caller)
    const fresh = { since: at, count: 0 }
    windows.set(caller, fresh)
    const oldest = windows.keys().next().value
    if (windows.size > CALLERS && oldest !== undefined) windows.delete(oldest)
    return fresh
  }

  return (caller: string): RateAnswer => {
    const at = now()
    const window = windowOf(caller, at)
    window.count++
    const left = Math.max(0, limit - window.count)
    const retryAfterS = Math.max(1, Math.ceil((window.since + WINDOW_MS - at) / 1_000))
    return {
      ok: window.count <= limit,
      headers: {
        'ratelimit-policy': `"token";q=${limit};w=${WINDOW_MS / 1_000}`,
        ratelimit: `"token";r=${left};t=${retryAfterS}`,
      },
      retryAfterS,
    }
  }
}
