import type { ErrorKind, Outcome } from '@baton/protocol'
import { expect, test } from 'vitest'
import { createClaudeReader } from './claude-reader.ts'
import type { Exit, RunFacts } from './runtime.ts'

type Case = {
  /** What the agent's own last word is; null: it has none. */
  last: object | null
  exitCode: number
  denied?: string[]
  toolsDone?: number
  mayChange?: boolean
  changedFiles?: number | null
  asks?: boolean
  stopped?: RunFacts['stopReason']
}
const well = { subtype: 'success', is_error: false, result: 'ok' }
const apiError = (status: number, text: string) => ({
  subtype: 'success',
  is_error: true,
  terminal_reason: 'api_error',
  api_error_status: status,
  result: text,
})

/** docs/states.md says these rules in words. */
const rules: [string, Case, Outcome, ErrorKind | null][] = [
  ['a good end is done', { last: well, exitCode: 0 }, 'done', null],
  ['exit code 0 without a last word is no good end', { last: null, exitCode: 0 }, 'error', 'crashed'],
  ['a good word with another exit code is no good end', { last: well, exitCode: 3 }, 'error', 'crashed'],
  [
    'an error with exit code 0 is an error',
    { last: { ...well, is_error: true }, exitCode: 0 },
    'error',
    'crashed',
  ],
  [
    'may change files and changed none',
    { last: well, exitCode: 0, mayChange: true, changedFiles: 0 },
    'changed_nothing',
    null,
  ],
  [
    'may change files, and nobody could tell',
    { last: well, exitCode: 0, mayChange: true, changedFiles: null },
    'done',
    null,
  ],
  ['may only read and changed none', { last: well, exitCode: 0, changedFiles: 0 }, 'done', null],
  [
    'denied and changed nothing',
    { last: well, exitCode: 0, mayChange: true, changedFiles: 0, denied: ['Bash'], toolsDone: 2 },
    'blocked_by_permission',
    'permission_denied',
  ],
  [
    'denied and did other work',
    { last: well, exitCode: 0, mayChange: true, changedFiles: 1, denied: ['Bash'] },
    'done_with_warnings',
    null,
  ],
  [
    'denied while only reading, and nothing went through',
    { last: well, exitCode: 0, denied: ['Read'] },
    'blocked_by_permission',
    'permission_denied',
  ],
  [
    'denied while only reading, and read something',
    { last: well, exitCode: 0, denied: ['Bash'], toolsDone: 1 },
    'done_with_warnings',
    null,
  ],
  ['wanted to ask a person', { last: well, exitCode: 0, asks: true }, 'needs_input', null],
  ['signed out', { last: apiError(401, 'no'), exitCode: 1 }, 'error', 'not_signed_in'],
  ['used up', { last: apiError(429, 'slow down'), exitCode: 1 }, 'error', 'quota'],
  ['the service failed', { last: apiError(529, 'overloaded'), exitCode: 1 }, 'error', 'api_error'],
  [
    'the conversation is gone',
    { last: { is_error: true, errors: ['No conversation found with session ID: x'] }, exitCode: 1 },
    'error',
    'session_lost',
  ],
  [
    'it watched its own budget',
    { last: { is_error: true, subtype: 'error_max_budget_usd' }, exitCode: 1 },
    'error',
    'budget',
  ],
  ['Baton ended it for its budget', { last: null, exitCode: 143, stopped: 'budget' }, 'error', 'budget'],
  ['it was done before the budget ended it', { last: well, exitCode: 0, stopped: 'budget' }, 'done', null],
]

test.each(rules)('%s', (_, given, outcome, errorKind) => {
  const reader = createClaudeReader({ twoWay: true, expectsChanges: given.mayChange ?? false })
  const lines: object[] = [{ type: 'system', subtype: 'init', session_id: 's', model: 'm' }]
  if (given.asks) {
    lines.push({
      type: 'control_request',
      request_id: 'q',
      request: { subtype: 'can_use_tool', tool_name: 'AskUserQuestion', input: {}, tool_use_id: 'q' },
    })
  }
  for (const [index, tool] of (given.denied ?? []).entries())
    lines.push({ type: 'system', subtype: 'permission_denied', tool_use_id: `d${index}`, tool_name: tool })
  for (let done = 0; done < (given.toolsDone ?? 0); done++)
    lines.push({
      type: 'user',
      message: { content: [{ type: 'tool_result', tool_use_id: `t${done}`, content: 'x' }] },
    })
  if (given.last) lines.push({ type: 'result', ...given.last })
  const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  reader.read({ stream: 'stdout', bytes, atMs: 0 })
  const exit: Exit = { exitCode: given.exitCode, signal: null, error: null, message: null }
  const facts = { stopReason: given.stopped ?? null, changedFiles: given.changedFiles ?? null }
  expect(reader.end(exit, facts).end).toMatchObject({ outcome, errorKind })
})
