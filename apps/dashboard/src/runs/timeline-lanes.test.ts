import type { RunSummary } from '@baton/protocol'
import { expect, test } from 'vitest'
import { lanesOf, ticksOf } from './timeline-lanes.ts'

const HOUR = 3_600_000

function run(id: string, machine: string, storedAt: number, finishedAt: number | null): RunSummary {
  return {
    id,
    machine: { name: machine },
    agent: { key: 'a' },
    ladder: { storedAt, finishedAt },
  } as RunSummary
}

test('runs at the same time lie below each other, and one that comes later takes the first free row', () => {
  const runs = [
    run('3', 'box', 20, 30),
    run('2', 'box', 5, null),
    run('1', 'box', 0, 10),
    run('4', 'pi', 0, 1),
  ]
  const lanes = lanesOf(runs, 'machine', 100)
  expect(lanes.map(({ name, rows }) => [name, rows.map((row) => row.map(({ id }) => id))])).toEqual([
    ['box', [['1', '3'], ['2']]],
    ['pi', [['4']]],
  ])
})

test('the marks of a timeline are few round times inside it', () => {
  for (const hours of [0.1, 1, 5, 30, 200, 3_000]) {
    const ticks = ticksOf(1_000, 1_000 + hours * HOUR)
    expect(ticks.length).toBeLessThanOrEqual(7)
    expect(ticks.every(({ at }) => at > 1_000 && at < 1_000 + hours * HOUR)).toBe(true)
  }
})
