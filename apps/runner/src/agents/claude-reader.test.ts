import type { RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import { createClaudeReader } from './claude-reader.ts'
import { LINE_BYTES } from './lines.ts'
import type { Exit, RunFacts, RunReader } from './runtime.ts'

const options = { twoWay: true, expectsChanges: true }
const exited = (exitCode: number | null, signal: string | null = null): Exit => ({
  exitCode,
  signal,
  error: null,
  message: null,
})
const quiet: RunFacts = { stopReason: null, changedFiles: null }
const line = (event: object) => `${JSON.stringify(event)}\n`
const feed = (reader: RunReader, text: string | Buffer, stream: 'stdout' | 'stderr' = 'stdout') =>
  reader.read({ stream, bytes: Buffer.from(text), atMs: 0 }).events

const init = line({ type: 'system', subtype: 'init', session_id: 's', model: 'm' })
const says = (text: string) => line({ type: 'assistant', message: { content: [{ type: 'text', text }] } })
const result = (fields: object = {}) =>
  line({
    type: 'result',
    subtype: 'success',
    is_error: false,
    terminal_reason: 'completed',
    result: 'ok',
    ...fields,
  })
const apiError = (fields: object) => result({ is_error: true, terminal_reason: 'api_error', ...fields })

const endOf = (lines: string, exit = exited(0), facts = quiet) => {
  const reader = createClaudeReader(options)
  feed(reader, lines)
  return reader.end(exit, facts).end
}

describe('a reader of stream-json', () => {
  test('passes on what is no JSON as raw output, in order, neighbouring lines together', () => {
    const reader = createClaudeReader(options)
    expect(feed(reader, `Warning: one\n{broken\n${says('hi')}after\n`)).toEqual([
      { type: 'output', stream: 'stdout', text: 'Warning: one\n{broken\n' },
      { type: 'consumed' },
      { type: 'message', role: 'assistant', text: 'hi' },
      { type: 'output', stream: 'stdout', text: 'after\n' },
    ])
  })

  test('waits for the rest of a JSON line, and shows the start of a plain one when asked', () => {
    const reader = createClaudeReader(options)
    expect(feed(reader, '{"type":"assis')).toEqual([])
    expect(reader.flush().events).toEqual([])
    expect(reader.position().committed.stdout).toBe(0)
    const other = createClaudeReader(options)
    feed(other, 'Password: ')
    expect(other.flush().events).toEqual([{ type: 'output', stream: 'stdout', text: 'Password: ' }])
  })

  test('taken over in the middle of a plain line does not take its rest for an event', () => {
    const first = createClaudeReader(options)
    feed(first, 'see: ')
    first.flush()
    const second = createClaudeReader(options, JSON.parse(JSON.stringify(first.position())))
    expect(feed(second, says('not said'))).toEqual([
      { type: 'output', stream: 'stdout', text: says('not said') },
    ])
  })

  test('passes on a line that is longer than it holds in pieces, and reads the next one', () => {
    const reader = createClaudeReader(options)
    const long = says('x'.repeat(LINE_BYTES + 1_000_000))
    const events: RunEventBody[] = []
    for (let at = 0; at < long.length; at += 65_536) events.push(...feed(reader, long.slice(at, at + 65_536)))
    const raw = events.map((event) => (event.type === 'output' ? event.text : '')).join('')
    expect(raw === long).toBe(true)
    expect(feed(reader, says('next')).map((event) => event.type)).toEqual(['consumed', 'message'])
  })

  test('leaves out types that it does not know, and names that every object has', () => {
    const reader = createClaudeReader(options)
    for (const type of ['brand_new', 'constructor', '__proto__', 'toString']) {
      expect(feed(reader, line({ type }))).toEqual([])
    }
  })

  test('shows JSON that it does not know when the program is not Claude Code', () => {
    const reader = createClaudeReader({ twoWay: false, expectsChanges: false })
    expect(feed(reader, '{"level":30}\n')).toEqual([
      { type: 'output', stream: 'stdout', text: '{"level":30}\n' },
    ])
  })

  test('survives fields of any other type', () => {
    const odd = [null, 1, 'text', [], {}, [null], [[1]], { content: [null, 1, { type: 'text', text: 5 }] }]
    for (const type of ['system', 'assistant', 'user', 'result', 'control_request', 'rate_limit_event']) {
      for (const value of odd) {
        const reader = createClaudeReader(options)
        const event = { type, subtype: value, message: value, request: value, usage: value, errors: value }
        feed(reader, line({ ...event, permission_denials: value, model_usage_since_last_result: value }))
        expect(reader.end(exited(0), quiet).end.state).toBeTypeOf('string')
      }
    }
  })

  test('takes text out of blocks that hold pictures too', () => {
    const reader = createClaudeReader(options)
    const content = [
      { type: 'text', text: 'seen' },
      { type: 'image', source: {} },
    ]
    const block = { type: 'tool_result', tool_use_id: 't', content }
    expect(feed(reader, line({ type: 'user', message: { content: [block] } }))).toMatchObject([
      { type: 'tool_finished', id: 't', ok: true, output: 'seen\n[image]', exitCode: null },
    ])
  })

  test('puts no NUL and no torn character into the result, which a database would refuse', () => {
    expect(endOf(result({ result: 'a\u0000b\ud800' })).result).toBe('a\ufffdb\ufffd')
  })
})

describe('a run', () => {
  test('without a result event is failed, whatever its exit code', () => {
    expect(endOf(init + says('hi'))).toMatchObject({ state: 'failed', errorKind: 'crashed' })
    expect(endOf('')).toMatchObject({ state: 'failed', errorKind: 'crashed' })
  })

  test('whose exit code contradicts its result is failed', () => {
    expect(endOf(result(), exited(1))).toMatchObject({ state: 'failed', errorKind: 'crashed' })
    expect(endOf(result(), exited(null, 'SIGKILL'))).toMatchObject({ state: 'failed', errorKind: 'killed' })
  })

  test('that broke down is told apart from one that was killed from outside', () => {
    expect(endOf(init, exited(null, 'SIGSEGV'))).toMatchObject({ errorKind: 'crashed' })
    expect(endOf(init, exited(134))).toMatchObject({ errorKind: 'crashed' })
    expect(endOf(init, exited(null, 'SIGKILL'))).toMatchObject({ errorKind: 'killed' })
    expect(endOf(init, exited(143))).toMatchObject({ errorKind: 'killed' })
  })

  test('that could not start says so in the words of its supervisor', () => {
    const exit: Exit = { exitCode: null, signal: null, error: 'agent_missing', message: 'It is gone.' }
    expect(endOf('', exit)).toMatchObject({
      state: 'failed',
      errorKind: 'agent_missing',
      message: 'It is gone.',
    })
  })

  test('of an account that is used up says when it is free again', () => {
    const limit = line({
      type: 'rate_limit_event',
      rate_limit_info: { status: 'rejected', resetsAt: 1_800_000_000 },
    })
    expect(
      endOf(limit + apiError({ api_error_status: 429, result: 'Usage limit reached.' }), exited(1)),
    ).toMatchObject({
      errorKind: 'quota',
      message: 'Usage limit reached. It is free again at 2027-01-15T08:00:00.000Z.',
    })
    expect(endOf(apiError({ result: 'Credit balance is too low' }), exited(1)).errorKind).toBe('quota')
  })

  test('that Baton ended for its time, the disk or a newer attempt says so', () => {
    const ended = (stopReason: RunFacts['stopReason']) =>
      endOf(init, exited(143), { stopReason, changedFiles: null })
    expect(ended('timeout_silence')).toMatchObject({ state: 'timed_out', errorKind: 'timeout_silence' })
    expect(ended('disk_full')).toMatchObject({ state: 'failed', errorKind: 'disk_full' })
    expect(ended('superseded')).toMatchObject({ state: 'superseded', errorKind: null })
    expect(ended('shutdown')).toMatchObject({ state: 'failed', errorKind: 'killed' })
  })

  test('puts the last line of stderr into its message, without colours', () => {
    const reader = createClaudeReader(options)
    feed(reader, 'first\n\u001b[31mError: unknown option --x\u001b[0m\n\n', 'stderr')
    expect(reader.end(exited(1), quiet).end.message).toBe(
      'The agent exited with code 1 and did not say that it was finished: Error: unknown option --x',
    )
  })
})
