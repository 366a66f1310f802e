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

/** A line of the log of opencode 1.18.33. */
const refusal = (message: string, small = false) =>
  `timestamp=2026-11-20T17:49:03.266Z level=ERROR run=8dcc6f1e message="stream error" providerID=standin modelID=stand-in session.id=ses_1 small=${small} agent=build mode=primary error.error=${JSON.stringify(`AI_APICallError: ${message}`)}\n`
const log = (reader: RunReader, text: string, atMs = 0) =>
  reader.read({ stream: 'stderr', bytes: Buffer.from(text), atMs })
const ended: Exit = { ...exited, exitCode: null, signal: 'SIGTERM' }

test('an account that is used up ends the run at the first refusal, in the words of the service', () => {
  const reader = createOpencodeReader(options)
  const steps = log(reader, refusal('You exceeded your current "quota". Please retry in 60s.'), 1_000)
  expect(steps).toMatchObject({ ended: true, events: [{ type: 'output' }, { type: 'retry', attempt: 1 }] })
  expect(reader.end(ended, quiet).end).toMatchObject({
    state: 'failed',
    errorKind: 'quota',
    message: 'You exceeded your current "quota". Please retry in 60s.',
    quotaUntil: 61_000,
  })
})

test('a service that fails five times in a row ends the run; one that comes back does not', () => {
  const reader = createOpencodeReader(options)
  for (let times = 0; times < 4; times++) expect(log(reader, refusal('Overloaded')).ended).toBeUndefined()
  feed(reader, line({ type: 'step_start', sessionID: 'ses_1' }))
  for (let times = 0; times < 4; times++) expect(log(reader, refusal('Overloaded')).ended).toBeUndefined()
  const half = refusal('Overloaded')
  expect(log(reader, half.slice(0, 100)).ended).toBeUndefined()
  const later = createOpencodeReader(options, reader.position())
  expect(log(later, half).ended).toBe(true)
  expect(later.end(ended, quiet).end).toMatchObject({ errorKind: 'api_error', message: 'Overloaded' })
})

test('a conversation that could not be given a name ends nothing', () => {
  const reader = createOpencodeReader(options)
  for (let times = 0; times < 9; times++) expect(log(reader, refusal('quota', true)).ended).toBeUndefined()
  feed(reader, says('hi') + finish('stop'))
  expect(reader.end(exited, { ...quiet, changedFiles: 1 }).end.state).toBe('succeeded')
})

test('what the service said is why a run was silent that waits to ask it again', () => {
  const silence = { ...quiet, stopReason: 'timeout_silence' as const }
  const waiting = createOpencodeReader(options)
  log(waiting, refusal('Rate limit reached'))
  expect(waiting.end(ended, silence).end).toMatchObject({ errorKind: 'quota', message: 'Rate limit reached' })
  expect(createOpencodeReader(options).end(ended, silence).end.errorKind).toBe('timeout_silence')
})

test('an answer that breaks off again and again ends the run', () => {
  const reader = createOpencodeReader(options)
  const begin = line({ type: 'step_start', sessionID: 'ses_1' })
  const steps = reader.read({ stream: 'stdout', bytes: Buffer.from(begin.repeat(6)), atMs: 0 })
  expect(steps.ended).toBe(true)
  expect(reader.end(ended, quiet).end.errorKind).toBe('api_error')
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
