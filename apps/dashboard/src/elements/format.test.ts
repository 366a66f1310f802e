import { expect, test } from 'vitest'
import { formatAgo, formatBytes, formatDuration } from './format.ts'

test('a duration has two parts at most and never shows sixty of anything', () => {
  expect(
    [0, 340, 1_000, 4_240, 59_400, 59_999, 200_000, 3_600_000, 7_500_000, 273_600_000].map(formatDuration),
  ).toEqual([
    '0 ms',
    '340 ms',
    '1.0 s',
    '4.2 s',
    '59 s',
    '1 min',
    '3 min 20 s',
    '1 h',
    '2 h 5 min',
    '3 d 4 h',
  ])
})

test('a clock that is ahead of the page never shows a negative time', () => {
  expect(formatDuration(-50)).toBe('0 ms')
  expect(formatAgo(2_000, 1_000)).toBe('just now')
})

test('bytes are shown in binary units', () => {
  expect([12, 2_048, 3 * 1_024 ** 2].map(formatBytes)).toEqual(['12 B', '2.0 KiB', '3.0 MiB'])
})
