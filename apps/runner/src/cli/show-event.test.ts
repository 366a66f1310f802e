import type { RunEvent, RunEventBody } from '@baton/protocol'
import { expect, test } from 'vitest'
import { createEventWriter } from './show-event.ts'
import { plain } from './style.ts'

function show(...bodies: (RunEventBody & { at?: number })[]): string {
  const writer = createEventWriter(plain)
  const events = bodies.map((body, index) => ({ at: 0, ...body, seq: index + 1 }) as RunEvent)
  return events.map((event) => writer.show(event)).join('') + writer.end()
}

test('a tool call shows what it was asked, and how long it took', () => {
  expect(
    show(
      { type: 'tool_started', id: 't', name: 'Bash', input: { command: 'npm test' }, at: 1_000 },
      { type: 'tool_finished', id: 't', ok: true, output: 'ok', exitCode: 0, at: 3_100 },
    ),
  ).toBe('● Bash npm test\n  ⎿ 2.1 s  ok\n')
})

test('of much that a tool printed the first lines are shown, and how many are left out', () => {
  expect(
    show(
      { type: 'tool_started', id: 't', name: 'Bash', input: { command: 'ls' } },
      { type: 'tool_finished', id: 't', ok: true, output: 'a\n  b\n\nc\nd\ne\n', exitCode: 0, at: 50 },
    ),
  ).toBe('● Bash ls\n  ⎿ 50 ms\n    a\n      b\n    c\n    … 2 more lines\n')
})

test('a tool call that failed says how, on one line', () => {
  expect(
    show(
      { type: 'tool_started', id: 't', name: 'Bash', input: { command: 'false' } },
      { type: 'tool_finished', id: 't', ok: false, output: 'no\nway', exitCode: 1, at: 50 },
    ),
  ).toContain('✕ exit 1  50 ms  no way')
})

test('output that comes in pieces is one line, and another stream begins a line of its own', () => {
  expect(
    show(
      { type: 'output', stream: 'stdout', text: 'half ' },
      { type: 'output', stream: 'stdout', text: 'line' },
      { type: 'output', stream: 'stderr', text: 'oops\n' },
      { type: 'message', role: 'assistant', text: 'done' },
    ),
  ).toBe('half line\noops\ndone\n')
})

test('a result that repeats the last message is not shown twice', () => {
  expect(
    show({ type: 'message', role: 'assistant', text: 'the answer' }, { type: 'result', text: 'the answer' }),
  ).toBe('the answer\n')
  expect(
    show({ type: 'message', role: 'assistant', text: 'so' }, { type: 'result', text: 'the answer' }),
  ).toBe('so\nthe answer\n')
})

test('a result that repeats the end of what a plain program printed is not shown twice', () => {
  expect(
    show({ type: 'output', stream: 'stdout', text: 'hi\nbye\n' }, { type: 'result', text: 'hi\nbye' }),
  ).toBe('hi\nbye\n')
})

test("an agent's text cannot move the cursor of whoever watches it", () => {
  expect(show({ type: 'message', role: 'assistant', text: 'a\x1b[2Jb' })).toBe('ab\n')
  expect(show({ type: 'tool_started', id: 't', name: 'Bash', input: { command: 'x\x1b]0;evil\x07y' } })).toBe(
    '● Bash xy\n',
  )
  expect(show({ type: 'output', stream: 'stdout', text: '\x1b[31mred\x1b[0m\x1b[H\n' })).toBe(
    '\x1b[31mred\x1b[0m\n',
  )
})
