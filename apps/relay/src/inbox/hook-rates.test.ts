import { expect, test } from 'vitest'
import { createHookRates } from './hook-rates.ts'

const taken = (
  rates: ReturnType<typeof createHookRates>,
  path: string | null,
  count: number,
  nowMs: number,
) => Array.from({ length: count }, () => rates.take(path, nowMs)).filter((waitS) => waitS === 0).length

test('an address may send four seconds of its rate at once, and then its rate', () => {
  const rates = createHookRates(10)
  expect(taken(rates, 'a', 100, 0)).toBe(40)
  expect(rates.take('a', 0)).toBe(1)
  expect(taken(rates, 'a', 100, 1_000)).toBe(10)
  expect(taken(rates, 'a', 100, 3_600_000)).toBe(40)
})

test('a flood on one address takes nothing from another, and what does not exist shares one bucket', () => {
  const rates = createHookRates(10)
  expect(taken(rates, 'flooded', 1_000, 0)).toBe(40)
  expect(taken(rates, 'quiet', 5, 0)).toBe(5)
  expect(taken(rates, null, 1_000, 0)).toBe(40)
  expect(taken(rates, null, 5, 0)).toBe(0)
})

test('a clock that is set back gives nothing away and blocks nothing for long', () => {
  const rates = createHookRates(1)
  expect(taken(rates, 'a', 10, 100_000)).toBe(4)
  expect(rates.take('a', 0)).toBe(1)
  expect(rates.take('a', 1_000)).toBe(0)
})

test('a rate of 0 is no limit', () => {
  expect(taken(createHookRates(0), 'a', 10_000, 0)).toBe(10_000)
})
