import { expect, test } from 'vitest'
import { createClaudeReader } from './claude-reader.ts'
import type { ReaderPosition, RunReader } from './runtime.ts'

const options = { twoWay: true, expectsChanges: true, mayAsk: true }
const line = (event: object) => `${JSON.stringify(event)}\n`
const feed = (reader: RunReader, ...events: object[]) =>
  reader.read({ stream: 'stdout', bytes: Buffer.from(events.map(line).join('')), atMs: 0 })
const asks = (id: string, command: string) => ({
  type: 'control_request',
  request_id: id,
  request: { subtype: 'can_use_tool', tool_name: 'Bash', input: { command }, tool_use_id: `use-${id}` },
})
const result = { type: 'result', subtype: 'success', is_error: false, result: 'ok' }
const replay = (content: string) => ({ type: 'user', message: { role: 'user', content }, isReplay: true })
const takeOver = (reader: RunReader) =>
  createClaudeReader(options, JSON.parse(JSON.stringify(reader.position())) as ReaderPosition)
const sent = (stdin: string | undefined) =>
  (stdin ?? '')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))

test('a question waits for its answer, and the answer carries the exact input back', () => {
  const reader = createClaudeReader(options)
  const steps = feed(reader, asks('r1', 'npm test'))
  expect(steps.asks).toEqual([
    { ask: 'r1', tool: 'Bash', summary: 'npm test', input: { command: 'npm test' } },
  ])
  expect(steps.stdin).toBeUndefined()
  const [answer] = sent(reader.answer?.('r1', { decision: 'allow', message: null }).stdin)
  expect(answer.response).toEqual({
    subtype: 'success',
    request_id: 'r1',
    response: { behavior: 'allow', updatedInput: { command: 'npm test' } },
  })
  expect(reader.answer?.('r1', { decision: 'deny', message: null })).toEqual({ events: [] })
})

test('a reader that takes over tells of open questions again, and gives answers again that may not have arrived', () => {
  const first = createClaudeReader(options)
  feed(first, asks('r1', 'one'), asks('r2', 'two'), asks('r3', 'three'))
  first.answer?.('r1', { decision: 'allow', message: null })
  first.answer?.('r2', { decision: 'deny', message: 'No.' })
  const second = takeOver(first)
  const steps = second.flush()
  expect(steps.asks?.map(({ ask }) => ask)).toEqual(['r3'])
  expect(sent(steps.stdin).map(({ response }) => response.request_id)).toEqual(['r1', 'r2'])
  expect(second.flush().stdin).toBeUndefined()
})

test('a question that the agent takes back is withdrawn', () => {
  const reader = createClaudeReader(options)
  feed(reader, asks('r1', 'one'))
  expect(feed(reader, { type: 'control_cancel_request', request_id: 'r1' }).withdrawn).toEqual(['r1'])
  expect(reader.answer?.('r1', { decision: 'allow', message: null })).toEqual({ events: [] })
})

test('stdin stays open for a message until it was taken up', () => {
  const reader = createClaudeReader(options)
  const steps = reader.steer?.({ id: 's1', text: 'Use pnpm.', by: 'Ada' })
  expect(steps?.events).toMatchObject([{ type: 'steer', state: 'queued' }])
  expect(feed(reader, result).closeStdin).toBeUndefined()
  expect(feed(reader, replay('Use pnpm.')).events).toContainEqual(
    expect.objectContaining({ type: 'steer', id: 's1', state: 'consumed' }),
  )
  expect(feed(reader, result).closeStdin).toBe(true)
  expect(reader.steer?.({ id: 's2', text: 'Too late.', by: 'Ada' })).toEqual({ events: [] })
  expect(reader.interrupt?.()).toEqual({ events: [] })
})

test('a message is never said twice: after a takeover it is taken up late, or nobody knows', () => {
  const first = createClaudeReader(options)
  first.steer?.({ id: 's1', text: 'Use pnpm.', by: 'Ada' })
  const second = takeOver(first)
  expect(second.flush().stdin).toBeUndefined()
  expect(feed(second, result).closeStdin).toBe(true)
  const exit = { exitCode: 0, signal: null, error: null, message: null }
  const { events } = second.end(exit, { stopReason: null, changedFiles: null })
  expect(events).toContainEqual(expect.objectContaining({ type: 'steer', id: 's1', state: 'indeterminate' }))
})

test('where nobody is to be asked a question is refused at once', () => {
  const reader = createClaudeReader({ ...options, mayAsk: false })
  const steps = feed(reader, asks('r1', 'npm test'))
  expect(steps.asks).toBeUndefined()
  expect(sent(steps.stdin)[0].response.response.behavior).toBe('deny')
})
