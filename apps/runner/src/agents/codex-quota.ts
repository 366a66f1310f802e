import { findQuotaReset } from './quota-reset.ts'

/**
 * When Codex says that a used-up account is free again, in ms since 1970: "try again at 3:08 PM" on the same day, "try
 * again at Nov 24th, 2026 3:08 PM" later, both in the machine's own time and cut to the minute, so the end of that
 * minute counts. Null when the text says no time.
 */
export function findCodexReset(text: string, atMs: number): number | null {
  const [, month, day, year, hour, minute, half] = AT_TIME.exec(text) ?? []
  if (hour === undefined) return findQuotaReset(text, atMs)
  const said = new Date(atMs)
  if (month !== undefined) said.setFullYear(Number(year), MONTHS.indexOf(month), Number(day))
  said.setHours((Number(hour) % 12) + (half === 'PM' ? 12 : 0), Number(minute) + 1, 0, 0)
  // It was said before midnight for a time after it.
  if (said.getTime() < atMs && month === undefined) said.setDate(said.getDate() + 1)
  return said.getTime()
}

const AT_TIME =
  /try again at (?:([A-Z][a-z]{2}) (\d{1,2})(?:st|nd|rd|th),? (\d{4}),? )?(\d{1,2}):(\d{2}) (AM|PM)/i
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
