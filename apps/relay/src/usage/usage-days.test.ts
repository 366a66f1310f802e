import { expect, test } from 'vitest'
import { usageDay, usageDays } from './usage-days.ts'

const now = Date.parse('2026-03-01T23:59:59Z')

test('without days it is the last thirty of UTC, today included', () => {
  expect(usageDays({}, now)).toEqual({ since: '2026-01-31', until: '2026-03-01' })
  expect(usageDays({ until: '2026-02-10' }, now)).toEqual({ since: '2026-01-12', until: '2026-02-10' })
})

test('a first day after the last one is a mistake', () => {
  expect(() => usageDays({ since: '2026-03-02' }, now)).toThrow(/after the last one/)
})

test('a day that no calendar has is refused', () => {
  expect(usageDay.safeParse('2026-02-29').success).toBe(false)
  expect(usageDay.safeParse('2028-02-29').success).toBe(true)
  expect(usageDay.safeParse('yesterday').success).toBe(false)
})
