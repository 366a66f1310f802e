/** How much of a second's requests one address may save up and send at once. */
const BURST_SECONDS = 4
/** Addresses that exist are few; of those that do not, all share one bucket. */
const UNKNOWN = ''

export type HookRates = {
  /** Takes one request of an address, null for one that does not exist: 0, or after how many seconds to come back. */
  take(path: string | null, nowMs: number): number
}

/**
 * A token bucket for each webhook address, so that a flood on one costs the others little: refused before its body is
 * read. `perSecond` 0 switches it off. A bucket that is full again is forgotten.
 */
export function createHookRates(perSecond: number): HookRates {
  const burst = perSecond * BURST_SECONDS
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  let sweptAtMs = 0

  function forgetFull(nowMs: number) {
    sweptAtMs = nowMs
    for (const [path, { tokens, atMs }] of buckets)
      if (tokens + ((nowMs - atMs) / 1_000) * perSecond >= burst) buckets.delete(path)
  }

  return {
    take(path, nowMs) {
      if (perSecond === 0) return 0
      if (nowMs - sweptAtMs > 60_000) forgetFull(nowMs)
      const key = path ?? UNKNOWN
      const bucket = buckets.get(key) ?? { tokens: burst, atMs: nowMs }
      const passed = Math.max(0, nowMs - bucket.atMs) / 1_000
      bucket.tokens = Math.min(burst, bucket.tokens + passed * perSecond)
      bucket.atMs = nowMs
      buckets.set(key, bucket)
      if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond))
      bucket.tokens--
      return 0
    },
  }
}
