import { expect, test } from 'vitest'
import { cronSlots, intervalSlots, type Slots } from './cron-slots.ts'

function next(slots: Slots, from: string, count: number): (string | undefined)[] {
  let at: Date | null = new Date(from)
  return Array.from({ length: count }, () => {
    at = at && slots.after(at)
    return at?.toISOString().slice(0, 16)
  })
}

test.each([
  ['30 2 * * *', 'America/New_York', '2025-03-08T12:00Z', ['2025-03-09T07:00', '2025-03-10T06:30']],
  [
    '0 * * * *',
    'America/New_York',
    '2025-03-09T05:30Z',
    ['2025-03-09T06:00', '2025-03-09T07:00', '2025-03-09T08:00'],
  ],
  ['30 1 * * *', 'America/New_York', '2025-11-01T12:00Z', ['2025-11-02T05:30', '2025-11-03T06:30']],
  ['30 1 * * *', 'America/New_York', '2025-11-02T06:00Z', ['2025-11-03T06:30']],
  [
    '*/30 * * * *',
    'America/New_York',
    '2025-11-02T04:45Z',
    ['2025-11-02T05:00', '2025-11-02T05:30', '2025-11-02T06:00', '2025-11-02T06:30'],
  ],
  ['30 1 * * *', 'Europe/London', '2025-03-29T12:00Z', ['2025-03-30T01:00', '2025-03-31T00:30']],
  ['0 3 * * *', 'Europe/Athens', '2016-03-27T00:00:01Z', ['2016-03-27T01:00', '2016-03-28T00:00']],
  ['15 2 * * *', 'Australia/Lord_Howe', '2025-10-04T00:00Z', ['2025-10-04T15:30', '2025-10-05T15:15']],
  ['45 1 * * *', 'Australia/Lord_Howe', '2025-04-05T14:50Z', ['2025-04-06T15:15']],
  ['0 3 * * *', 'Europe/Athens', '2016-10-29T22:00Z', ['2016-10-30T00:00', '2016-10-31T01:00']],
  [
    '0 0 31 * *',
    'UTC',
    '2025-01-31T00:00Z',
    ['2025-03-31T00:00', '2025-05-31T00:00', '2025-07-31T00:00', '2025-08-31T00:00'],
  ],
  ['0 0 * * 7', 'UTC', '2025-01-01T00:00Z', ['2025-01-05T00:00', '2025-01-12T00:00']],
  ['0 12 13 * 5', 'UTC', '2025-06-01T00:00Z', ['2025-06-06T12:00', '2025-06-13T12:00', '2025-06-20T12:00']],
  ['@daily', 'UTC', '2025-06-01T00:00Z', ['2025-06-02T00:00']],
  ['0 9 L * *', 'UTC', '2025-02-01T00:00Z', ['2025-02-28T09:00', '2025-03-31T09:00']],
  [
    '15 8-10/2 * JAN MON,WED',
    'UTC',
    '2025-12-30T00:00Z',
    ['2026-01-05T08:15', '2026-01-05T10:15', '2026-01-07T08:15'],
  ],
] as const)('%s in %s from %s', (expression, zone, from, expected) => {
  const count = expected.length
  expect(next(cronSlots(expression, zone), from, count)).toEqual(expected)
})

test('asked within the repeated hour, a daily time is not given twice, at any second of it', () => {
  const slots = cronSlots('30 1 * * *', 'America/New_York')
  for (let second = 0; second < 3_600; second += 61) {
    const at = new Date(Date.parse('2025-11-02T05:30:00Z') + second * 1_000).toISOString()
    expect(next(slots, at, 1)).toEqual(['2025-11-03T06:30'])
  }
})

test.each([
  ['0 0 30 2 *', 'never comes'],
  ['60 * * * *', 'is not right'],
  ['* * * * 8', 'is not right'],
  ['@reboot', 'no time that comes again'],
  ['* * * *', 'has 4 fields and needs five'],
  ['0 30 2 * * *', 'seconds are not taken'],
  ['every day', 'has 2 fields'],
  ['a b c d e', 'is not right'],
])('%s is refused with what to write instead', (expression, words) => {
  expect(() => cronSlots(expression, 'UTC')).toThrow(words)
})

test('a time zone that does not exist is refused', () => {
  expect(() => cronSlots('@daily', 'Europe/Atlantis')).toThrow('There is no time zone')
})

test('an interval counts from its anchor and never gives the anchor itself', () => {
  const slots = intervalSlots(90_000, new Date('2026-01-01T00:00:10Z'))
  expect(slots.after(new Date('2026-01-01T00:00:10Z'))?.toISOString()).toBe('2026-01-01T00:01:40.000Z')
  expect(slots.after(new Date('2026-01-01T00:01:40Z'))?.toISOString()).toBe('2026-01-01T00:03:10.000Z')
  expect(slots.after(new Date('2025-12-31T00:00:00Z'))?.toISOString()).toBe('2026-01-01T00:01:40.000Z')
})
