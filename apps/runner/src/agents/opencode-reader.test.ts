import { expect, test } from 'vitest'
import { createOpencodeReader } from './opencode-reader.ts'
import type { Exit, RunReader } from './runtime.ts'

const options = { model: 'anthropic/m', expectsChanges: true }
const exited: Exit = { exitCode: 0, signal: null, error: null, message: null }
const quiet = { stopReason: null, changedFiles: null }
const line = (event: object) => `${JSON.stringify(event)}\n`
const feed = (reader: RunReader, text: string, atMs = 0) =>
  reader.read({ stream: 'stdout', bytes: Buffer.from(text), atMs }).events
const finish = (reason: string, tokens: object = {}, cost = 0) =>
  line({ type: 'step_finish', sessionID: 'ses_1', part: { reason, tokens, cost } })
const says = (text: string) => line({ type: 'text', sessionID: 'ses_1', part: { text } })

test('a run that ended with a tool call, or with an error, is not done although it exited with 0', () => {
  for (const last of [finish('tool-calls'), line({ type: 'error', error: { name: 'X', data: {} } })]) {
    const reader = createOpencodeReader(options)
    feed(reader, says('hi') + last)
    expect(reader.end(exited, quiet).end).toMatchObject({ state: 'failed', errorKind: 'crashed' })
  }
})

test('a run that may edit files and changed none says so', () => {
  const reader = createOpencodeReader(options)
  feed(reader, says('hi') + finish('stop'))
  expect(reader.end(exited, { ...quiet, changedFiles: 0 }).end.outcome).toBe('changed_nothing')
})

test('what it used is known while it runs: fresh and cached tokens, those of thought, and money', () => {
  const reader = createOpencodeReader(options)
  expect(reader.usageSoFar?.()).toBeNull()
  feed(
    reader,
    finish('tool-calls', { input: 100, output: 10, reasoning: 5, cache: { read: 40, write: 7 } }, 0.5),
  )
  expect(reader.usageSoFar?.()).toEqual({
    inputTokens: 147,
    outputTokens: 15,
    cachedTokens: 40,
    costUsd: 0.5,
    model: 'anthropic/m',
  })
})

test('an account that is used up says when it is free again', () => {
  const reader = createOpencodeReader(options)
  const data = { message: 'Too many', statusCode: 429, responseHeaders: { 'retry-after': '60' } }
  feed(reader, line({ type: 'error', error: { name: 'APIError', data } }), 1_000_000)
  expect(reader.end({ ...exited, exitCode: 1 }, quiet).end).toMatchObject({
    errorKind: 'quota',
    quotaUntil: 1_060_000,
  })
})

test('fields of any other type are survived', () => {
  const odd = [null, 1, 'text', [], {}, [null], [[1]], { tool: 'todowrite', state: { status: 'completed' } }]
  for (const value of odd) {
    for (const type of ['step_start', 'text', 'reasoning', 'tool_use', 'step_finish', 'error']) {
      const reader = createOpencodeReader(options)
      feed(reader, line({ type, sessionID: value, part: value, error: value }))
      feed(reader, line({ type, part: { tool: value, state: value, tokens: value, cost: value } }))
      expect(reader.end(exited, quiet).end.state).toBeTypeOf('string')
    }
  }
})
