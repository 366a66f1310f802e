import { expect, test } from 'vitest'
import { plain } from './style.ts'
import { clip, duration, localTime, table } from './text.ts'

test('durations are said as a person would', () => {
  expect([7, 430, 2_140, 14_200, 200_000, 7_500_000, 200_000_000].map(duration)).toEqual([
    '7 ms',
    '0.4 s',
    '2.1 s',
    '14 s',
    '3 min 20 s',
    '2 h 5 min',
    '2 days',
  ])
})

test('columns are as wide as what is seen, colours not counted', () => {
  expect(
    table(
      ['key', 'state'],
      [
        ['a', '\x1b[32mon\x1b[0m'],
        ['longer', 'off'],
      ],
      plain,
    ),
  ).toBe('key     state\na       \x1b[32mon\x1b[0m\nlonger  off')
})

test('an empty list is no table', () => {
  expect(table(['key'], [], plain)).toBe('')
})

test('a long text is cut to one line', () => {
  expect(clip('one\n  two three', 8)).toBe('one two…')
})

test('a terminal cuts the last column at its edge, unless hardly anything of it fits', () => {
  const rows = [['run_1', 'a prompt that goes on and on']]
  expect(table(['run', ''], rows, plain, 20)).toBe('run\nrun_1  a prompt tha…')
  for (const edge of [10, undefined])
    expect(table(['run', ''], rows, plain, edge)).toBe('run\nrun_1  a prompt that goes on and on')
})

test('times are said the same wherever they are read', () => {
  expect(localTime(Date.UTC(2026, 10, 23, 12))).toMatch(/^2026-11-2\d \d\d:\d\d:00$/)
})
