import { expect, test } from 'vitest'
import { readRules } from './rule-options.ts'

test('flags become rules, and only those that were given', () => {
  expect(readRules({})).toEqual({})
  expect(readRules({ delay: '90s', ttl: '2h', priority: '-5', perHour: '10', overlap: 'replace' })).toEqual({
    delayMs: 90_000,
    ttlMs: 7_200_000,
    priority: -5,
    perHour: 10,
    overlap: 'replace',
  })
  expect(readRules({ concurrencyKey: '{{ payload.repo }}' }).concurrency).toEqual({
    key: '{{ payload.repo }}',
    limit: 1,
  })
})

test('a wrong flag says what it takes', () => {
  expect(() => readRules({ delay: 'soon' })).toThrow(/--delay soon: give a number with s, m, h or d/)
  expect(() => readRules({ overlap: 'drop' })).toThrow(/choose from queue, skip, replace, coalesce/)
  expect(() => readRules({ priority: 'high' })).toThrow(/whole number/)
  expect(() => readRules({ priority: '7000' })).toThrow(
    /--priority 7000: give a whole number from -100 to 100/,
  )
  expect(() => readRules({ perHour: '0' })).toThrow(/from 1 to 100000/)
})
