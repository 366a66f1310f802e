const LONGEST_MS = 24 * 3_600_000

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), at most a day; undefined: there is none to read. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.min(LONGEST_MS, Math.max(0, ms)) : undefined
}
