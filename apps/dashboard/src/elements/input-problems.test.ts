import { expect, test } from 'vitest'
import { inputProblems } from './input-problems.ts'

const TEXT =
  'The input is not right. ✖ give at least 10 seconds   → at triggers[0].everyMs ✖ Too small: expected number to be >=1   → at limits.maxAttempts'

test('each problem of a refused input stands at its field', () => {
  expect(inputProblems(TEXT, () => true)).toEqual({
    general: 'Some of this is not right yet; it is said at its field.',
    at: {
      'triggers[0].everyMs': 'give at least 10 seconds',
      'limits.maxAttempts': 'Too small: expected number to be >=1',
    },
  })
})

test('what no shown field stands for is said as a whole', () => {
  expect(inputProblems(TEXT, (path) => path.startsWith('limits')).general).toBe(TEXT)
  expect(inputProblems('The key is taken.', () => true)).toEqual({ general: 'The key is taken.', at: {} })
  expect(inputProblems(null, () => true)).toEqual({ general: null, at: {} })
})
