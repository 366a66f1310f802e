import type { ApprovalRules } from '@baton/protocol'
import { expect, test } from 'vitest'
import { EMPTY_BOOK, noteAnswer, noteAsks, openAsks, withdrawAll } from './ask-book.ts'

const rules: ApprovalRules = { mode: 'ask', expiresMs: 60_000, allow: ['Bash(git *)'] }
const place = { rules, cwd: '/w', now: 1_000 }
const ask = (number: string, command: string) => ({
  ask: number,
  tool: 'Bash',
  summary: command,
  input: { command },
})
const YES = { decision: 'allow', message: null } as const

test('a question is told once, and stays open until it is answered', () => {
  const first = noteAsks(EMPTY_BOOK, [ask('1', 'npm test')], place)
  expect(first.events).toMatchObject([{ type: 'approval_asked', ask: '1', cwd: '/w', expiresMs: 60_000 }])
  expect(first.answers).toEqual([])
  expect(openAsks(first.book)).toEqual([{ ask: '1', expiresAt: 61_000 }])
  const again = noteAsks(first.book, [ask('1', 'npm test')], place)
  expect([again.events, again.answers]).toEqual([[], []])
})

test('a question that was answered before gets the same answer again, without a word', () => {
  const asked = noteAsks(EMPTY_BOOK, [ask('1', 'npm test')], place)
  const answered = noteAnswer(asked.book, '1', YES, 'Ada')
  expect(answered.events).toMatchObject([{ type: 'approval_answered', by: 'Ada', decision: 'allow' }])
  const again = noteAsks(answered.book, [ask('1', 'npm test')], place)
  expect([again.events, again.answers]).toEqual([[], [{ ask: '1', answer: YES }]])
  expect(noteAnswer(answered.book, '1', { decision: 'deny', message: null }, 'Bob').answers).toEqual([])
})

test('what an allow-list covers is allowed at once and says by what; what nobody is asked about is denied', () => {
  const covered = noteAsks(EMPTY_BOOK, [ask('1', 'git status')], place)
  expect(covered.answers).toEqual([{ ask: '1', answer: YES }])
  expect(covered.events).toMatchObject([
    { by: 'the allow-list', reason: 'Bash(git *) covers Bash git status' },
  ])
  const session = noteAsks({ ...EMPTY_BOOK, allow: ['Bash(npm test)'] }, [ask('2', 'npm test')], place)
  expect(session.answers).toHaveLength(1)
  const denied = noteAsks(EMPTY_BOOK, [ask('3', 'npm test')], { ...place, rules: { ...rules, mode: 'deny' } })
  expect(denied.answers).toEqual([{ ask: '3', answer: { decision: 'deny', message: null } }])
  expect(denied.events).toEqual([])
})

test('another input, tool or folder is another action', () => {
  const hashOf = (command: string, cwd = '/w') =>
    noteAsks(EMPTY_BOOK, [ask('1', command)], { ...place, cwd }).book.asks['1']?.actionHash
  expect(new Set([hashOf('a'), hashOf('b'), hashOf('a', '/v'), hashOf('a')]).size).toBe(3)
})

test('an action that is longer than an event is shown in part, and says so', () => {
  const long = noteAsks(EMPTY_BOOK, [ask('1', 'x'.repeat(200_000))], place)
  expect(long.events).toMatchObject([{ type: 'approval_asked', inputCut: true }])
  expect(JSON.stringify(long.events[0]).length).toBeLessThan(64 * 1024)
})

test('the end of a run withdraws what is open and nothing else', () => {
  const asked = noteAsks(EMPTY_BOOK, [ask('1', 'a'), ask('2', 'b')], place)
  const answered = noteAnswer(asked.book, '1', YES, 'Ada')
  expect(withdrawAll(answered.book)).toEqual([
    { type: 'approval_withdrawn', ask: '2', reason: 'The run ended.' },
  ])
})
