import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

const gauges = { sockets: 0, runners: 0, deleted: {}, figures: null }

test('while the database is away everything else is still told', () => {
  const metrics = createMetrics()
  metrics.countHook(503)
  const text = metrics.render(gauges)
  expect(text).toContain('\nbaton_database_up 0\n')
  expect(text).toContain('\nbaton_hook_answers_total{status="503"} 1\n')
  expect(text).not.toContain('baton_deliveries{')
})

test('times fall into cumulative buckets, also those beyond the last one', () => {
  const metrics = createMetrics()
  for (const seconds of [0.005, 0.2, 99]) metrics.timeHook(seconds)
  const counts = [...metrics.render(gauges).matchAll(/baton_hook_seconds_bucket\{le="(.+?)"\} (\d+)/g)]
  expect(counts.map(([, le, count]) => [le, Number(count)])).toEqual([
    ['0.005', 1],
    ['0.01', 1],
    ['0.025', 1],
    ['0.05', 1],
    ['0.1', 1],
    ['0.25', 2],
    ['0.5', 2],
    ['1', 2],
    ['2.5', 2],
    ['5', 2],
    ['15', 2],
    ['+Inf', 3],
  ])
})

test('every line is a sample or says what the next ones are', () => {
  const metrics = createMetrics()
  metrics.countAnswer('trpc', 200)
  metrics.countMoved('lapsed')
  const sample = /^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? (\d+(\.\d+)?(e-?\d+)?|NaN)$/
  for (const line of metrics.render(gauges).trimEnd().split('\n'))
    expect(line).toMatch(line.startsWith('#') ? /^# (HELP|TYPE) [a-z_]+ \S/ : sample)
})
