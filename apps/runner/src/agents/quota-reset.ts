const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * When a quota comes back, in ms since 1970, as services say it in words: "retry in 3600s", "will reset after 18h31m10s",
 * "try again in 2 h". `atMs` is when it was said. Null when the text says nothing of the kind.
 */
export function findQuotaReset(text: string, atMs: number): number | null {
  const found = /\b(?:retry|reset|again)\s+(?:in|after)\s+((?:\d+(?:\.\d+)?\s?(?:ms|[smhd])\s?)+)/i.exec(text)
  if (found?.[1] === undefined) return null
  let waitMs = 0
  for (const [, count, unit] of found[1].matchAll(/(\d+(?:\.\d+)?)\s?(ms|[smhd])/gi))
    waitMs += Number(count) * (UNIT_MS[unit?.toLowerCase() ?? ''] ?? 0)
  return atMs + Math.round(waitMs)
}
