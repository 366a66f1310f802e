import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoff } from './backoff.ts'

test('the longest wait doubles with every attempt up to the cap', () => {
  const longest = backoff({ baseMs: 500, capMs: 30_000, random: () => 1 })
  expect([1, 2, 3, 6, 7, 8, 2_000].map(longest)).toEqual([500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000])
})

test('any wait from nothing to the longest may come out', () => {
  expect(backoff({ baseMs: 500, capMs: 30_000, random: () => 0 })(5)).toBe(0)
  fc.assert(
    fc.property(
      fc.integer({ min: -5, max: 5_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempt, random) => {
        const ms = backoff({ baseMs: 500, capMs: 30_000, random: () => random })(attempt)
        return Number.isInteger(ms) && ms >= 0 && ms <= 30_000
      },
    ),
  )
})
