import { expect, test } from 'vitest'
import { findQuotaReset } from './quota-reset.ts'

test('the words in which services say when a quota comes back are understood', () => {
  const says: [string, number | null][] = [
    ['Please retry in 34.5s.', 34_500],
    ['Your quota will reset after 18h31m10s.', 66_670_000],
    ['Try again in 2 h 5 m', 7_500_000],
    ['retry in 250ms', 250],
    ['You exceeded your current quota.', null],
    ['It was reset in error.', null],
  ]
  for (const [text, waitMs] of says) {
    expect([text, findQuotaReset(text, 1_000)]).toEqual([text, waitMs === null ? null : 1_000 + waitMs])
  }
})
