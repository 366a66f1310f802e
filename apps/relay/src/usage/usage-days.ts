import { BatonError } from '@baton/protocol'
import { z } from 'zod'

const DAY_MS = 86_400_000
/** Without a first day: this one and the 29 before it. */
const DEFAULT_DAYS = 30

/** A day of UTC, like 2026-11-20. */
export const usageDay = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, 'give a day like 2026-11-20')
  .refine((day) => toDay(Date.parse(day)) === day, 'there is no such day')

/** The days of UTC that are asked for, both counted. */
export function usageDays(
  asked: { since?: string | undefined; until?: string | undefined },
  nowMs: number,
): { since: string; until: string } {
  const until = asked.until ?? toDay(nowMs)
  const since = asked.since ?? toDay(Date.parse(until) - (DEFAULT_DAYS - 1) * DAY_MS)
  if (since > until)
    throw new BatonError('bad_input', `The first day (${since}) is after the last one (${until}).`)
  return { since, until }
}

function toDay(ms: number): string {
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 10)
}
