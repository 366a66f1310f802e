import { readdirSync, readFileSync } from 'node:fs'
import { decodeRunEvent, encodeRunEvent, RUN_EVENT_BYTES, type RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import { createClaudeReader } from './claude-reader.ts'
import type { Exit, ReaderPosition, RunFacts } from './runtime.ts'

/** Real runs of the real CLI, recorded with the stand-in model. */
const folder = new URL('../../../../packages/testkit/src/model/fixtures/claude-2.1.328/', import.meta.url)
type Index = Record<string, { exit: { code: number | null; signal: string | null }; stderr: string }>
const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Index
const options = { twoWay: true, expectsChanges: false }
const quiet: RunFacts = { stopReason: null, changedFiles: null }

function recorded(name: string) {
  const entry = index[name]
  if (!entry) throw new Error(`There is no recorded run ${name}.`)
  const exit: Exit = { exitCode: entry.exit.code, signal: entry.exit.signal, error: null, message: null }
  return { stdout: stdoutOf(name), stderr: Buffer.from(entry.stderr), exit }
}

/** A run that ended before it printed anything has no file. */
function stdoutOf(name: string): Buffer {
  const file = `${name}.jsonl`
  return readdirSync(folder).includes(file) ? readFileSync(new URL(file, folder)) : Buffer.alloc(0)
}

/** Reads a recorded run in chunks of some size, from a new reader after every chunk if asked to. */
function replay(name: string, { chunk = 65_536, restart = false, facts = quiet, changes = false } = {}) {
  const { stdout, stderr, exit } = recorded(name)
  const own = { ...options, expectsChanges: changes }
  let reader = createClaudeReader(own)
  const events: RunEventBody[] = []
  let stdin = ''
  let closes = 0
  for (let at = 0; at < stdout.length; at += chunk) {
    const steps = reader.read({ stream: 'stdout', bytes: stdout.subarray(at, at + chunk), atMs: 0 })
    events.push(...steps.events)
    stdin += steps.stdin ?? ''
    if (steps.closeStdin) closes += 1
    if (restart) {
      const position = JSON.parse(JSON.stringify(reader.position())) as ReaderPosition
      reader = createClaudeReader(own, position)
      const unread = stdout.subarray(position.committed.stdout, at + chunk)
      events.push(...reader.read({ stream: 'stdout', bytes: unread, atMs: 0 }).events)
    }
  }
  events.push(...reader.read({ stream: 'stderr', bytes: stderr, atMs: 0 }).events)
  const { events: last, end } = reader.end(exit, facts)
  return { events: [...events, ...last], end, stdin, closes, committed: reader.position().committed }
}

const all = Object.keys(index)
const types = (events: RunEventBody[]) => events.map((event) => event.type)

describe('every recorded run', () => {
  test.each(all)(
    '%s means the same whole, byte by byte, and read by a new reader after every chunk',
    (name) => {
      const whole = replay(name)
      expect({ ...replay(name, { chunk: 1 }), closes: whole.closes }).toEqual(whole)
      expect(replay(name, { chunk: 1_000, restart: true })).toMatchObject({
        events: whole.events,
        end: whole.end,
      })
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

describe('the end of a run', () => {
  const ends: [string, string, string, string | null][] = [
    ['plain-answer', 'succeeded', 'done', null],
    ['write-file', 'succeeded', 'done', null],
    ['shell-fails', 'succeeded', 'done', null],
    ['two-results', 'succeeded', 'done', null],
    ['subagent', 'succeeded', 'done', null],
    ['api-429-once', 'succeeded', 'done', null],
    ['two-way-two-prompts', 'succeeded', 'done', null],
    ['tool-refused', 'failed', 'blocked_by_permission', 'permission_denied'],
    ['two-way-denied', 'failed', 'blocked_by_permission', 'permission_denied'],
    ['two-way-closed-while-asking', 'failed', 'blocked_by_permission', 'permission_denied'],
    ['two-way-question', 'succeeded', 'needs_input', null],
    ['not-signed-in', 'failed', 'error', 'not_signed_in'],
    ['api-401', 'failed', 'error', 'not_signed_in'],
    ['api-400', 'failed', 'error', 'api_error'],
    ['api-529', 'failed', 'error', 'api_error'],
    ['stream-cut', 'failed', 'error', 'api_error'],
    ['unreachable', 'failed', 'error', 'api_error'],
    ['max-turns', 'failed', 'error', 'crashed'],
    ['resume-unknown', 'failed', 'error', 'session_lost'],
    ['session-id-in-use', 'failed', 'error', 'crashed'],
    ['two-way-broken-line', 'failed', 'error', 'crashed'],
    ['sigint', 'failed', 'error', 'killed'],
    ['sigterm', 'failed', 'error', 'killed'],
    ['two-way-interrupted-tool', 'failed', 'error', 'killed'],
  ]
  test.each(ends)('of %s is %s, %s, %s', (name, state, outcome, errorKind) => {
    expect(replay(name).end).toMatchObject({ state, outcome, errorKind })
  })

  test('is not what the exit code says: refused and interrupted runs exit with 0 and are not done', () => {
    for (const name of ['tool-refused', 'two-way-denied', 'sigint']) {
      expect(recorded(name).exit.exitCode).toBe(0)
      expect(replay(name).end.outcome).not.toBe('done')
    }
  })

  test('carries the reason in the words of the CLI', () => {
    expect(replay('not-signed-in').end.message).toBe('Not logged in · Please run /login')
    expect(replay('session-id-in-use').end.message).toContain('is already in use')
    expect(replay('resume-unknown').end.message).toContain('No conversation found')
    expect(replay('max-turns').end.message).toContain('Reached maximum number of turns (2)')
    expect(replay('unreachable').end.message).toContain('Connection refused')
  })

  test('is a cancel only when Baton asked for it', () => {
    const cancelled: RunFacts = { stopReason: 'cancelled', changedFiles: null }
    expect(replay('sigint', { facts: cancelled }).end.state).toBe('cancelled')
    expect(replay('sigterm', { facts: cancelled }).end.state).toBe('cancelled')
    expect(replay('sigterm', { facts: { ...quiet, stopReason: 'timeout_wall' } }).end).toMatchObject({
      state: 'timed_out',
      errorKind: 'timeout_wall',
    })
  })

  test('is done for a run that was finished before a cancel reached it', () => {
    expect(replay('plain-answer', { facts: { ...quiet, stopReason: 'cancelled' } }).end.state).toBe(
      'succeeded',
    )
    expect(replay('plain-answer', { facts: { ...quiet, stopReason: 'superseded' } }).end.state).toBe(
      'superseded',
    )
  })

  test('tells a run that was to change files and changed none', () => {
    const none: RunFacts = { stopReason: null, changedFiles: 0 }
    expect(replay('plain-answer', { facts: none, changes: true }).end.outcome).toBe('changed_nothing')
    expect(replay('plain-answer', { facts: none }).end.outcome).toBe('done')
    expect(replay('write-file', { facts: { ...none, changedFiles: 1 }, changes: true }).end.outcome).toBe(
      'done',
    )
  })

  test('of a refused run that did other work all the same is done with warnings', () => {
    const facts: RunFacts = { stopReason: null, changedFiles: 2 }
    expect(replay('tool-refused', { facts, changes: true }).end).toMatchObject({
      state: 'succeeded',
      outcome: 'done_with_warnings',
    })
  })
})

describe('what a run shows', () => {
  test('is its session, the proof that the prompt was taken, its tools with their results, and its answer', () => {
    const { events, end } = replay('write-file')
    expect(types(events)).toEqual([
      'session',
      'consumed',
      'message',
      'tool_started',
      'tool_finished',
      'message',
      'usage',
      'result',
    ])
    expect(events[3]).toMatchObject({ name: 'Write', input: { file_path: 'notes.txt' } })
    expect(events[4]).toMatchObject({ ok: true, output: expect.stringContaining('notes.txt') })
    expect(end).toMatchObject({ result: 'Written.', sessionId: '018f3c5e-7a10-4b6e-9c55-2f6f0d1c9a01' })
  })

  test('is the exit code of a command that failed', () => {
    const { events } = replay('shell-fails')
    expect(events.find((event) => event.type === 'tool_finished')).toMatchObject({ ok: false, exitCode: 3 })
  })

  test('is each refusal once', () => {
    for (const name of ['tool-refused', 'two-way-denied']) {
      const denials = replay(name).events.filter((event) => event.type === 'permission_denied')
      expect(denials).toEqual([
        { type: 'permission_denied', tool: 'Bash', detail: expect.stringContaining('touch') },
      ])
    }
  })

  test('is each retry with its reason', () => {
    const retry = replay('api-429-once').events.find((event) => event.type === 'retry')
    expect(retry).toEqual({ type: 'retry', attempt: 1, reason: 'HTTP 429, rate_limit' })
  })

  test('is no sign that the prompt was taken when the model could not be asked', () => {
    expect(types(replay('unreachable').events)).not.toContain('consumed')
    expect(types(replay('api-401').events)).not.toContain('consumed')
  })

  test('is thinking apart from speech', () => {
    expect(types(replay('thinking').events)).toEqual([
      'session',
      'consumed',
      'thinking',
      'message',
      'usage',
      'result',
    ])
  })

  test('is the echoed prompt as proof, and not once more as a message', () => {
    const { events } = replay('two-way-replayed')
    expect(types(events).slice(0, 3)).toEqual(['session', 'consumed', 'tool_started'])
    expect(events.filter((event) => event.type === 'message')).toHaveLength(1)
  })

  test('is nothing of what an interrupted CLI says to its makers', () => {
    expect(stdoutOf('sigint').toString()).toContain('[ede_diagnostic]')
    const { events, end } = replay('sigint')
    expect(end.result).toBeNull()
    expect(types(events)).not.toContain('result')
  })

  test('is the last of several results', () => {
    const { end, events, closes } = replay('two-results')
    expect(events.filter((event) => event.type === 'result')).toEqual([{ type: 'result', text: end.result }])
    expect(closes).toBeGreaterThan(0)
  })
})

describe('tokens and money', () => {
  test('are those of this run when it goes on with an earlier conversation', () => {
    expect(replay('resume').end.usage).toMatchObject({ inputTokens: 100, outputTokens: 10 })
    expect(replay('resume').end.usage?.costUsd).toBeCloseTo(0.0003, 9)
  })

  test('count subagents and every result of the process', () => {
    expect(replay('subagent').end.usage).toMatchObject({ inputTokens: 400, outputTokens: 40 })
    expect(replay('two-results').end.usage).toMatchObject({ inputTokens: 300, outputTokens: 30 })
    expect(replay('two-results').end.usage?.costUsd).toBeCloseTo(0.0009, 9)
  })

  test('are what went into its calls for a run that was killed before it summed up', () => {
    const { stdout } = recorded('tool-refused')
    const lines = stdout.toString().split('\n')
    const first = lines.findIndex((line) => line.includes('"type":"assistant"'))
    const reader = createClaudeReader(options)
    const bytes = Buffer.from(`${lines.slice(0, first + 1).join('\n')}\n`)
    reader.read({ stream: 'stdout', bytes, atMs: 0 })
    const killed: Exit = { exitCode: null, signal: 'SIGKILL', error: null, message: null }
    const { end } = reader.end(killed, { stopReason: 'budget', changedFiles: null })
    expect(end).toMatchObject({ errorKind: 'budget', usage: { inputTokens: 100 } })
  })

  test('are known for an interrupted run too', () => {
    expect(replay('sigint').end.usage).toMatchObject({ inputTokens: 100, outputTokens: 7 })
  })
})

describe('questions of the CLI', () => {
  test('are refused on its stdin with a reason', () => {
    const { stdin } = replay('two-way-denied')
    expect(stdin.endsWith('\n')).toBe(true)
    expect(JSON.parse(stdin)).toMatchObject({
      type: 'control_response',
      response: {
        subtype: 'success',
        request_id: '00000000-0000-4000-8000-000000000006',
        response: { behavior: 'deny', message: expect.stringContaining('Bash') },
      },
    })
  })

  test('are answered again by a reader that took over, since the answer may not have arrived', () => {
    const { stdout } = recorded('two-way-denied')
    const asked = stdout.subarray(0, stdout.indexOf('\n', stdout.indexOf('"control_request"')) + 1)
    const first = createClaudeReader(options)
    const { stdin } = first.read({ stream: 'stdout', bytes: asked, atMs: 0 })
    const second = createClaudeReader(options, JSON.parse(JSON.stringify(first.position())))
    expect(second.flush().stdin).toBe(stdin)
    expect(second.flush().stdin).toBeUndefined()
    const third = createClaudeReader(options, second.position())
    third.read({ stream: 'stdout', bytes: stdout.subarray(asked.length), atMs: 0 })
    expect(third.flush()).toEqual({ events: [], closeStdin: true })
  })

  test('close stdin after a result, so that the process ends', () => {
    expect(replay('plain-answer').closes).toBe(1)
  })

  test('are never answered to a program whose stdin is closed', () => {
    const reader = createClaudeReader({ twoWay: false, expectsChanges: false })
    const steps = reader.read({ stream: 'stdout', bytes: recorded('two-way-denied').stdout, atMs: 0 })
    expect(steps.stdin).toBeUndefined()
    expect(steps.closeStdin).toBeUndefined()
  })
})
