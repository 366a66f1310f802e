import { type FilterOp, matchesGlob, triggerFilter } from '@baton/protocol'
import { expect, test } from 'vitest'
import { eventFacts } from './event-facts.ts'
import { filteredBecause, matchFilters } from './match-filters.ts'

const facts = eventFacts(
  {
    id: 'evt_1',
    source: 'webhook',
    headers: { 'x-github-event': 'pull_request' },
    payload: {
      action: 'opened',
      number: 7,
      draft: false,
      gone: null,
      labels: [{ name: 'bug' }],
      ref: 'refs/heads/release/1.2',
    },
  },
  { key: 'job', name: 'Job' },
)
const one = (field: string, op: FilterOp, value?: unknown) =>
  matchFilters([triggerFilter.parse({ field, op, ...(value === undefined ? {} : { value }) })], facts)[0]
    ?.holds

test.each([
  ['payload.action', 'eq', 'opened', true],
  ['payload.action', 'ne', 'opened', false],
  ['payload.action', 'in', ['closed', 'opened'], true],
  ['payload.number', 'eq', '7', true],
  ['payload.number', 'gt', 6, true],
  ['payload.number', 'lt', 7, false],
  ['payload.action', 'gt', 1, false],
  ['payload.draft', 'eq', false, true],
  ['payload.gone', 'eq', null, true],
  ['payload.nope', 'eq', 'x', false],
  ['payload.nope', 'ne', 'x', true],
  ['payload.nope', 'missing', undefined, true],
  ['payload.gone', 'exists', undefined, false],
  ['payload.labels.0.name', 'prefix', 'bu', true],
  ['payload.labels', 'eq', '[object Object]', false],
  ['payload.ref', 'glob', 'refs/heads/release/*', true],
  ['payload.ref', 'glob', 'refs/*', false],
  ['event.headers.X-GitHub-Event', 'eq', 'pull_request', true],
  ['payload.constructor.name', 'exists', undefined, false],
] as const)('%s %s %j: %s', (field, op, value, holds) => {
  expect(one(field, op, value)).toBe(holds)
})

test('the first filter that does not hold is named with what was found', () => {
  const filters = [
    triggerFilter.parse({ field: 'payload.number', op: 'gt', value: 1 }),
    triggerFilter.parse({ field: 'payload.action', op: 'eq', value: 'closed' }),
  ]
  expect(filteredBecause(matchFilters(filters, facts))).toBe(
    'The filter "payload.action eq "closed"" does not hold: payload.action is "opened".',
  )
})

test('a filter whose value does not fit its operator, or that names no field, is refused', () => {
  for (const wrong of [
    { field: 'payload.x', op: 'in', value: 'a' },
    { field: 'payload.x', op: 'gt', value: 'a' },
    { field: 'payload.x', op: 'exists', value: 1 },
    { field: 'payload.x', op: 'eq' },
    { field: 'secrets.x', op: 'exists' },
    { field: 'payload.x', op: 'matches', value: '(a+)+$' },
  ])
    expect(triggerFilter.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false)
})

test.each([
  ['main', 'main', true],
  ['main', 'maine', false],
  ['release/*', 'release/1', true],
  ['release/*', 'release/1/2', false],
  ['release/**', 'release/1/2', true],
  ['**', '', true],
  ['**', 'a/b/c', true],
  ['**/x.ts', 'x.ts', true],
  ['**/x.ts', 'a/b/x.ts', true],
  ['**/x.ts', 'a/bx.ts', false],
  ['src/**/*.ts', 'src/a.ts', true],
  ['src/**/*.ts', 'src/a/b/c.ts', true],
  ['src/**/*.ts', 'src/a/b/c.js', false],
  ['*.ts', 'a.ts', true],
  ['*.ts', 'a/b.ts', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['*a*b*c', 'xaxbxc', true],
  ['*a*b*c', 'xaxcxb', false],
  ['(main|dev)', 'main', false],
] as const)('the glob %s and %s: %s', (pattern, text, fits) => {
  expect(matchesGlob(pattern, text)).toBe(fits)
})

test('no pattern makes a glob slow (T-15): 200 hostile pairs, each within 20 ms', () => {
  for (let count = 1; count <= 200; count++) {
    const pattern = ['*a'.repeat(count % 75), '**/'.repeat(count % 50), '?*'.repeat(count % 75)]
      .join('')
      .slice(0, 300)
    const text = `${'a'.repeat(5_000)}${'/a'.repeat(2_400)}b`
    // The fastest of three: another program may take the processor away.
    const times = [1, 2, 3].map(() => {
      const startedAt = performance.now()
      matchesGlob(`${pattern}!`, text)
      return performance.now() - startedAt
    })
    expect(Math.min(...times)).toBeLessThan(20)
  }
})
