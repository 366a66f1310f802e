import { expect, test } from 'vitest'
import { daysBetween } from './usage-queries.ts'

test('days without work are days too, also over the end of a month and a change of summer time', () => {
  expect(daysBetween('2026-10-24', '2026-10-26')).toEqual(['2026-10-24', '2026-10-25', '2026-10-26'])
  expect(daysBetween('2028-02-28', '2028-03-01')).toEqual(['2028-02-28', '2028-02-29', '2028-03-01'])
  expect(daysBetween('2026-01-01', '2026-01-01')).toEqual(['2026-01-01'])
})
