import { readFileSync } from 'node:fs'
import { decodeRunEvent, encodeRunEvent, RUN_EVENT_BYTES, type RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import { geminiDriver } from './gemini.ts'
import type { Exit, ReaderContext, ReaderPosition, RunFacts } from './runtime.ts'

/** Real runs of the real CLI, recorded with the stand-in model. */
const folder = new URL('../../../../packages/testkit/src/model/fixtures/gemini-0.61.0/', import.meta.url)
type Index = Record<string, { exit: { code: number | null; signal: string | null }; stderr: string }>
const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Index
const quiet: RunFacts = { stopReason: null, changedFiles: null }
const contextOf = (permissionMode: 'read_only' | 'edit') =>
  ({
    delivery: { agent: { command: null, permissionMode }, sessionId: null },
    policy: { commands: {} },
  }) as unknown as ReaderContext

function recorded(name: string) {
  const entry = index[name]
  if (!entry) throw new Error(`There is no recorded run ${name}.`)
  const exit: Exit = { exitCode: entry.exit.code, signal: entry.exit.signal, error: null, message: null }
  const stdout = readFileSync(new URL(`${name}.jsonl`, folder))
  return { stdout, stderr: Buffer.from(entry.stderr), exit }
}

/** Reads a recorded run in chunks of some size, from a new reader after every chunk if asked to. */
function replay(
  name: string,
  { chunk = 65_536, restart = false, facts = quiet, mode = 'read_only' as 'read_only' | 'edit' } = {},
) {
  const { stdout, stderr, exit } = recorded(name)
  const context = contextOf(mode)
  let reader = geminiDriver.createReader(context)
  const events: RunEventBody[] = []
  for (let at = 0; at < stdout.length; at += chunk) {
    events.push(...reader.read({ stream: 'stdout', bytes: stdout.subarray(at, at + chunk), atMs: 0 }).events)
    if (!restart) continue
    const position = JSON.parse(JSON.stringify(reader.position())) as ReaderPosition
    reader = geminiDriver.createReader(context, position)
    const unread = stdout.subarray(position.committed.stdout, at + chunk)
    events.push(...reader.read({ stream: 'stdout', bytes: unread, atMs: 0 }).events)
  }
  events.push(...reader.read({ stream: 'stderr', bytes: stderr, atMs: 1_000 }).events)
  const { events: last, end } = reader.end(exit, facts)
  return { events: [...events, ...last], end, committed: reader.position().committed }
}

const all = Object.keys(index)

describe('every recorded run of Gemini CLI', () => {
  test.each(all)(
    '%s means the same whole, byte by byte, and read by a new reader after every chunk',
    (name) => {
      const whole = replay(name)
      expect(replay(name, { chunk: 1 })).toEqual(whole)
      expect(replay(name, { chunk: 97, restart: true })).toEqual(whole)
    },
  )

  test.each(all)(
    '%s is wholly committed, without raw output of what is understood, in events that fit',
    (name) => {
      const { events, committed } = replay(name)
      const { stdout, stderr } = recorded(name)
      expect(committed).toEqual({ stdout: stdout.length, stderr: stderr.length })
      for (const event of events) {
        const text = encodeRunEvent(1_700_000_000_000, event)
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(RUN_EVENT_BYTES)
        expect(decodeRunEvent(1, text)).toMatchObject(event)
      }
      expect(events.filter((event) => event.type === 'output' && event.stream === 'stdout')).toEqual([])
    },
  )
})

describe('the end of a run of Gemini CLI', () => {
  const ends: [string, string, string, string | null][] = [
    ['plain-answer', 'succeeded', 'done', null],
    ['thinking', 'succeeded', 'done', null],
    ['write-file', 'succeeded', 'done', null],
    ['shell', 'succeeded', 'done', null],
    ['shell-fails', 'succeeded', 'done', null],
    ['router', 'succeeded', 'done', null],
    ['resume', 'succeeded', 'done', null],
    ['api-500-once', 'succeeded', 'done', null],
    ['refused-in-part', 'succeeded', 'done_with_warnings', null],
    ['shell-refused', 'failed', 'blocked_by_permission', 'permission_denied'],
    ['write-refused', 'failed', 'blocked_by_permission', 'permission_denied'],
    ['outside', 'failed', 'blocked_by_permission', 'permission_denied'],
    ['api-400', 'failed', 'error', 'api_error'],
    ['api-401', 'failed', 'error', 'not_signed_in'],
    ['api-429', 'failed', 'error', 'quota'],
    ['api-500', 'failed', 'error', 'api_error'],
    ['stream-cut', 'failed', 'error', 'api_error'],
    ['unreachable', 'failed', 'error', 'api_error'],
    ['not-signed-in', 'failed', 'error', 'not_signed_in'],
    ['resume-unknown', 'failed', 'error', 'session_lost'],
    ['sigterm', 'failed', 'error', 'crashed'],
    ['sigkill', 'failed', 'error', 'killed'],
  ]
  test.each(ends)('of %s is %s, %s, %s', (name, state, outcome, errorKind) => {
    expect(replay(name).end).toMatchObject({ state, outcome, errorKind })
  })

  test('is not what the exit code says: an interrupted and a refused run exit with 0 and are not done', () => {
    for (const name of ['sigterm', 'shell-refused']) {
      expect(recorded(name).exit.exitCode).toBe(0)
      expect(replay(name).end.outcome).not.toBe('done')
    }
  })

  test('of one that Baton stopped is that stop, unless it was done before', () => {
    const facts: RunFacts = { stopReason: 'cancelled', changedFiles: null }
    expect(replay('sigterm', { facts }).end.state).toBe('cancelled')
    expect(replay('plain-answer', { facts }).end.state).toBe('succeeded')
  })

  test('says that nothing was changed when it may edit and did not', () => {
    const facts: RunFacts = { stopReason: null, changedFiles: 0 }
    expect(replay('plain-answer', { facts, mode: 'edit' }).end.outcome).toBe('changed_nothing')
  })

  test('of a used up quota says when it comes back', () => {
    expect(replay('api-429').end).toMatchObject({ quotaUntil: 3_601_000 })
    expect(replay('api-500').end.quotaUntil).toBeNull()
  })

  test('has the answer, the usage and the session', () => {
    expect(replay('usage').end).toMatchObject({
      result: 'Counted.',
      sessionId: '018f3c5e-7a10-4b6e-9c55-2f6f0d1c9a01',
      usage: { inputTokens: 12_000, outputTokens: 345, costUsd: null, model: 'gemini-2.5-pro' },
    })
  })
})

describe('the events of a run of Gemini CLI', () => {
  const typesOf = (name: string) =>
    replay(name).events.flatMap((one) => (one.type === 'output' ? [] : [one.type]))

  test('join the pieces of a message', () => {
    const said = replay('slow-stream').events.filter((event) => event.type === 'message')
    expect(said).toEqual([
      { type: 'message', role: 'assistant', text: 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\nAnd more.' },
    ])
  })

  test('keep the order of what was said and done', () => {
    expect(typesOf('write-file')).toEqual(
      'session consumed message tool_started tool_finished message usage result'.split(' '),
    )
  })

  test('tell of refusals and of retries', () => {
    expect(replay('shell-refused').events).toContainEqual({
      type: 'permission_denied',
      tool: 'run_shell_command',
      detail: '{"command":"touch note","description":"As told."}',
    })
    expect(replay('api-500-once').events).toContainEqual({ type: 'retry', attempt: 1, reason: 'HTTP 500' })
  })
})
