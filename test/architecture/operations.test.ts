import {
  ERROR_ANSWERS,
  ERROR_KINDS,
  IGNORED_REASONS,
  STATUS_EXIT_CODES,
  STATUS_SHAPES,
} from '@baton/protocol'
import { expect, test } from 'vitest'
import { REFUSALS } from '../../apps/relay/src/inbox/refusals.ts'
import { helpTopics } from '../../apps/runner/src/cli/help-topics.ts'
import { codeFiles, inOrder, isTest, readText, tableBelow, unquoted } from './support/repository.ts'

const operations = readText('docs/operations.md')

/** First cell to the others, without quotes. */
const rowsBelow = (heading: string) =>
  new Map(tableBelow(operations, heading).map(([first, ...rest]) => [unquoted(first), rest]))

test('every error code is documented with its exit code and HTTP status', () => {
  const rows = rowsBelow('A command or call is refused')
  const documented = [...rows].map(([code, [exit, http]]) => `${code} ${exit} ${http}`)
  const real = Object.entries(ERROR_ANSWERS).map(([code, { exit, http }]) => `${code} ${exit} ${http}`)
  expect(inOrder(documented)).toEqual(inOrder(real))
})

test('every refusal of a webhook is documented with its status', () => {
  const rows = rowsBelow('A webhook is refused')
  const known = [...rows].map(([type, [status]]) => `${type} ${status}`)
  for (const { type, status } of Object.values(REFUSALS)) expect(known).toContain(`${type} ${status}`)
})

test('every type of problem that the relay can answer is documented', () => {
  const types = codeFiles
    .filter((file) => file.startsWith('apps/relay/src/') && !isTest(file))
    .flatMap((file) => [...readText(file).matchAll(/status: \d{3},\s*type: '([a-z-]+)'/g)])
    .map(([, type]) => type ?? '')
  expect(types.length).toBeGreaterThan(10)
  expect(types.filter((type) => !operations.includes(`\`${type}\``))).toEqual([])
})

test('every kind of failure is documented with what to do', () => {
  const rows = rowsBelow('A run failed')
  expect(inOrder(rows.keys())).toEqual(inOrder(Object.keys(ERROR_KINDS)))
})

test('every reason for which an event started nothing is documented', () => {
  const rows = rowsBelow('An event was accepted and nothing ran')
  expect(inOrder(rows.keys())).toEqual(inOrder(IGNORED_REASONS))
})

test('exit codes are the same in the document, in the help and in the protocol', () => {
  const documented = tableBelow(operations, 'Exit codes').map(([code, meaning]) => `${code} ${meaning}`)
  const helped = [...helpTopics['exit-codes'].matchAll(/^ +(\d+) {2}(.+)$/gm)].map(
    ([, code, meaning]) => `${code} ${meaning}`,
  )
  expect(documented).toEqual(helped)
  const codes = documented.map((row) => Number(row.split(' ')[0]))
  for (const { exit } of Object.values(ERROR_ANSWERS)) expect(codes).toContain(exit)
  for (const exit of Object.values(STATUS_EXIT_CODES)) expect(codes).toContain(exit)
  const words = Object.keys(STATUS_SHAPES).filter((word) => !['starting', 'running'].includes(word))
  expect(words.filter((word) => !operations.includes(`\`${word}\``))).toEqual([])
})

test('every setting that the code reads is documented', () => {
  const names = codeFiles
    .filter((file) => /^(apps|packages)\/[^/]+\/src\//.test(file) && !isTest(file))
    .flatMap((file) => readText(file).match(/\bBATON_[A-Z][A-Z_]+\b/g) ?? [])
  expect(names.length).toBeGreaterThan(20)
  const missing = [...new Set(names)].filter((name) => !operations.includes(`\`${name}\``))
  expect(missing).toEqual([])
})
