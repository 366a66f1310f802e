import {
  AGENT_STATES,
  APPROVAL_STATES,
  APPROVAL_TRANSITIONS,
  CONTROL_STATES,
  DELIVERY_STATES,
  DELIVERY_TRANSITIONS,
  DISPATCH_STATES,
  DISPATCH_TRANSITIONS,
  ERROR_KIND_NAMES,
  EVENT_STATES,
  EVENT_TRANSITIONS,
  IGNORED_REASONS,
  MACHINE_STATES,
  OUTCOMES,
  RUN_STATES,
  RUN_TRANSITIONS,
} from '@baton/protocol'
import { expect, test } from 'vitest'
import { inOrder, readText, tableBelow } from './support/repository.ts'

const states = readText('docs/states.md')

/** The moves of the diagram below a heading. `[*]` is before the first state or after the last. */
function diagram(heading: string): { from: string; to: string }[] {
  const section = states.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const [, drawn = ''] = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(section) ?? []
  return drawn
    .trim()
    .split('\n')
    .map((line) => {
      const [from = '', to = ''] = line.trim().split(' --> ')
      return { from, to }
    })
}

const movesOf = (table: Record<string, readonly string[]>) =>
  inOrder(Object.entries(table).flatMap(([from, tos]) => tos.map((to) => `${from} → ${to}`)))

const moving: [string, readonly string[], Record<string, readonly string[]>][] = [
  ['Event', EVENT_STATES, EVENT_TRANSITIONS],
  ['Delivery', DELIVERY_STATES, DELIVERY_TRANSITIONS],
  ['Run', RUN_STATES, RUN_TRANSITIONS],
  ['Dispatch', DISPATCH_STATES, DISPATCH_TRANSITIONS],
  ['Approval', APPROVAL_STATES, APPROVAL_TRANSITIONS],
]

test.each(moving)('the diagram of %s draws exactly the moves of the protocol', (heading, words, table) => {
  const drawn = diagram(heading)
  const moves = drawn.filter(({ from, to }) => from !== '[*]' && to !== '[*]')
  expect(inOrder(moves.map(({ from, to }) => `${from} → ${to}`))).toEqual(movesOf(table))
  expect(inOrder(Object.keys(table))).toEqual(inOrder(words))
})

test.each(moving)('the diagram of %s ends where the protocol has no move', (heading, words, table) => {
  const drawn = diagram(heading)
  const ends = drawn.filter(({ to }) => to === '[*]').map(({ from }) => from)
  expect(inOrder(ends)).toEqual(inOrder(words.filter((word) => table[word]?.length === 0)))
  expect(drawn.some(({ from }) => from === '[*]')).toBe(true)
})

test.each([
  ['Machine', MACHINE_STATES],
  ['Agent', AGENT_STATES],
] as const)('the diagram and the table of %s name exactly the states of the protocol', (heading, words) => {
  const drawn = diagram(heading).flatMap(({ from, to }) => [from, to])
  const named = new Set(drawn.filter((word) => word !== '[*]'))
  expect(inOrder(named)).toEqual(inOrder(words))
  expect(inOrder(tableBelow(states, heading).map(([state]) => state))).toEqual(inOrder(words))
})

test('the database allows exactly the states of the protocol', () => {
  const schema = readText('packages/db/schema.sql')
  for (const [table, words] of [
    ['events', EVENT_STATES],
    ['deliveries', DELIVERY_STATES],
    ['runs', RUN_STATES],
    ['dispatches', DISPATCH_STATES],
    ['approvals', APPROVAL_STATES],
    ['run_controls', CONTROL_STATES],
  ] as const) {
    const check = schema.split('\n').find((line) => line.includes(`constraint ${table}_state_check `)) ?? ''
    const allowed = [...check.matchAll(/'([a-z_]+)'::text/g)].map(([, word]) => word)
    expect(inOrder(allowed), table).toEqual(inOrder(words))
  }
})

test('the states document says why an event started nothing, reason by reason', () => {
  expect(IGNORED_REASONS.filter((reason) => !states.includes(`\`${reason}\``))).toEqual([])
})

/** Section 1 of the design. The glossary may say more, never less. */
const WORDS = [
  'organization',
  'user, member, role',
  'machine',
  'runner',
  'profile',
  'agent',
  'runtime',
  'job',
  'trigger',
  'event',
  'delivery',
  'lease, fence',
  'run',
  'attempt',
  'run event',
  'session',
  'workspace',
  'artifact',
  'output',
  'dispatch',
  'room, topic, message',
  'approval',
  'heartbeat, renew, ping',
]

test('the glossary has every word of the design, and no word twice', () => {
  const glossary = readText('docs/glossary.md')
  const designed = tableBelow(glossary, 'The words of the design').map(([word]) => word)
  const added = tableBelow(glossary, 'Words that the code added').map(([word]) => word)
  expect(designed).toEqual(WORDS)
  const words = [...designed, ...added].flatMap((word) => (word ?? '').split(', '))
  expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([])
})

test.each([
  ['outcome', OUTCOMES],
  ['kind of failure', ERROR_KIND_NAMES],
] as const)('the page of states has a rule for every %s', (_, words) => {
  const ruled = states.split('\n').flatMap((line) => (/^\| ([a-z_, ]+) \|/.exec(line)?.[1] ?? '').split(', '))
  expect(words.filter((word) => !ruled.includes(word))).toEqual([])
})
