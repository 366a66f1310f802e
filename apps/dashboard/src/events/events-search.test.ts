import { expect, test } from 'vitest'
import { readEventsSearch } from './events-search.ts'

test('a filter in the address is kept, and what cannot be one is dropped', () => {
  expect(
    readEventsSearch({ source: 'cron', state: 'ignored', reason: 'loop', text: 12, days: 7, job: 'a' }),
  ).toEqual({ source: 'cron', state: 'ignored', reason: 'loop', text: '12', days: 7, job: 'a' })
  expect(readEventsSearch({ source: 'pigeon', state: 3, days: 'many', text: '' })).toEqual({})
})
