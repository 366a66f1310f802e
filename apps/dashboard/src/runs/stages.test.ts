import type { Ladder } from '@baton/protocol'
import { expect, test } from 'vitest'
import { stagesOf } from './stages.ts'

const ladder = (some: Partial<Ladder>): Ladder => ({
  storedAt: 0,
  leasedAt: null,
  acceptedAt: null,
  startedAt: null,
  firstOutputAt: null,
  consumedAt: null,
  finishedAt: null,
  ...some,
})
const short = (some: Partial<Ladder>) => stagesOf(ladder(some)).map(({ name, from, to }) => [name, from, to])

test('each stretch ends where the next begins, and the last one runs on', () => {
  expect(short({ leasedAt: 10, acceptedAt: 20, startedAt: 50 })).toEqual([
    ['Queued', 0, 10],
    ['Handed over', 10, 20],
    ['Preparing', 20, 50],
    ['Starting', 50, null],
  ])
})

test('a delivery that was cancelled while it waited was only ever queued', () => {
  expect(short({ finishedAt: 400 })).toEqual([['Queued', 0, 400]])
})

test('a run that printed nothing ends in the stretch it was in', () => {
  expect(short({ leasedAt: 1, acceptedAt: 2, startedAt: 3, finishedAt: 9 }).at(-1)).toEqual([
    'Starting',
    3,
    9,
  ])
})

test('clocks that disagree never make a stretch negative', () => {
  expect(short({ leasedAt: 10, acceptedAt: 5 })).toEqual([
    ['Queued', 0, 10],
    ['Handed over', 10, 10],
    ['Preparing', 5, null],
  ])
})
