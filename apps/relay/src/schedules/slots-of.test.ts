import type { Misfire } from '@baton/protocol'
import { expect, test } from 'vitest'
import { cronSlots } from './cron-slots.ts'
import { nextFires } from './next-fires.ts'
import { dueSlots } from './slots-of.ts'

const slots = cronSlots('0 * * * *', 'UTC')
const at = (time: string) => new Date(`2026-01-02T${time}Z`)
const due = (misfire: Misfire, first: string, now: string) => {
  const found = dueSlots({ slots, misfire }, at(first), at(now))
  return {
    fire: found.fire.map(({ slot, late }) => `${slot.toISOString().slice(11, 16)}${late ? ' late' : ''}`),
    missed: found.missed?.count ?? 0,
    next: found.next?.toISOString().slice(11, 16),
  }
}

test('a slot that has just come is fired, whatever the policy', () => {
  for (const policy of ['none', 'last', 'all'] as const)
    expect(due({ policy, max: 10 }, '10:00:00', '10:00:01')).toEqual({
      fire: ['10:00'],
      missed: 0,
      next: '11:00',
    })
})

test('of the slots that nobody fired, none, the last or the newest so many are made up for', () => {
  const [first, now] = ['02:00:00', '10:30:00']
  expect(due({ policy: 'none', max: 10 }, first, now)).toEqual({ fire: [], missed: 9, next: '11:00' })
  expect(due({ policy: 'last', max: 10 }, first, now)).toEqual({
    fire: ['10:00 late'],
    missed: 8,
    next: '11:00',
  })
  expect(due({ policy: 'all', max: 3 }, first, now)).toEqual({
    fire: ['08:00 late', '09:00 late', '10:00 late'],
    missed: 6,
    next: '11:00',
  })
  expect(due({ policy: 'all', max: 100 }, first, now)).toMatchObject({ missed: 0 })
})

test('with the policy last, the slot that is on time is the last one', () => {
  expect(due({ policy: 'last', max: 1 }, '08:00:00', '10:00:05')).toEqual({
    fire: ['10:00'],
    missed: 2,
    next: '11:00',
  })
})

test('a schedule that stood for years is counted in bounded time and goes on from now', () => {
  const every = cronSlots('* * * * *', 'UTC')
  const now = new Date('2026-01-02T10:00:30Z')
  const found = dueSlots(
    { slots: every, misfire: { policy: 'all', max: 2 } },
    new Date('2020-01-01T00:00:00Z'),
    now,
  )
  expect(found.missed).toMatchObject({ isCapped: true })
  expect(found.fire).toEqual([
    { slot: new Date('2026-01-02T09:58:00Z'), late: true },
    { slot: new Date('2026-01-02T09:59:00Z'), late: true },
    { slot: new Date('2026-01-02T10:00:00Z'), late: false },
  ])
  expect(found.next).toEqual(new Date('2026-01-02T10:01:00Z'))
})

test('the next times are said in words and in the zone of who asks, with the offset', () => {
  const schedule = {
    slots: cronSlots('30 2 * * 1-5', 'Europe/Berlin'),
    misfire: { policy: 'last' as const, max: 1 },
    zone: 'Europe/Berlin',
    text: '30 2 * * 1-5',
  }
  const answer = nextFires(schedule, new Date('2026-03-27T12:00:00Z'), 2, 'America/New_York')
  expect(answer.words).toBe('At 02:30, Monday through Friday (Europe/Berlin)')
  expect(answer.fires.map((one) => one.local)).toEqual([
    'Sun 2026-03-29 20:30 -04:00',
    'Mon 2026-03-30 20:30 -04:00',
  ])
  const own = nextFires(schedule, new Date('2026-03-27T12:00:00Z'), 1, null)
  expect(own.fires[0]?.local).toBe('Mon 2026-03-30 02:30 +02:00')
  const every = nextFires({ ...schedule, text: 'every 5400000 ms' }, new Date(), 1, null)
  expect(every.words).toBe('Every 90 minutes')
})
