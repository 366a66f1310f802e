import { describe, expect, test } from 'vitest'
import {
  describeFixtures,
  expectNotDoneByExitCode,
  openFixtures,
  quiet,
  testEnds,
  WRITE_FILE_TYPES,
} from '../../test/agents/replay-fixture.ts'
import { createClaudeReader } from './claude-reader.ts'
import type { Exit, RunFacts } from './runtime.ts'

const folder = 'claude-2.1.328'
const options = { twoWay: true, expectsChanges: false }
const fixtures = openFixtures(folder, (_name, from) => createClaudeReader(options, from))
const { replay, recorded, typesOf } = fixtures
/** The same runs of an agent that is to change files. */
const changing = openFixtures(folder, (_name, from) =>
  createClaudeReader({ ...options, expectsChanges: true }, from),
)

describeFixtures(fixtures)

describe('the end of a run', () => {
  testEnds(fixtures, {
    'succeeded, done': [
      'plain-answer',
      'write-file',
      'shell-fails',
      'two-results',
      'subagent',
      'api-429-once',
      'two-way-two-prompts',
    ],
    'failed, blocked_by_permission, permission_denied': [
      'tool-refused',
      'two-way-denied',
      'two-way-closed-while-asking',
    ],
    'succeeded, needs_input': ['two-way-question'],
    'failed, error, not_signed_in': ['not-signed-in', 'api-401'],
    'failed, error, api_error': ['api-400', 'api-529', 'stream-cut', 'unreachable'],
    'failed, error, crashed': ['max-turns', 'session-id-in-use', 'two-way-broken-line'],
    'failed, error, session_lost': ['resume-unknown'],
    'failed, error, killed': ['sigint', 'sigterm', 'two-way-interrupted-tool'],
  })

  test('is not what the exit code says: refused and interrupted runs exit with 0 and are not done', () => {
    expectNotDoneByExitCode(fixtures, ['tool-refused', 'two-way-denied', 'sigint'])
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
    expect(changing.replay('plain-answer', { facts: none }).end.outcome).toBe('changed_nothing')
    expect(replay('plain-answer', { facts: none }).end.outcome).toBe('done')
    expect(changing.replay('write-file', { facts: { ...none, changedFiles: 1 } }).end.outcome).toBe('done')
  })

  test('of a refused run that did other work all the same is done with warnings', () => {
    const facts: RunFacts = { stopReason: null, changedFiles: 2 }
    expect(changing.replay('tool-refused', { facts }).end).toMatchObject({
      state: 'succeeded',
      outcome: 'done_with_warnings',
    })
  })
})

describe('what a run shows', () => {
  test('is its session, the proof that the prompt was taken, its tools with their results, and its answer', () => {
    const { events, end } = replay('write-file')
    expect(typesOf('write-file')).toEqual(WRITE_FILE_TYPES)
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
    expect(typesOf('unreachable')).not.toContain('consumed')
    expect(typesOf('api-401')).not.toContain('consumed')
  })

  test('is thinking apart from speech', () => {
    expect(typesOf('thinking')).toEqual(['session', 'consumed', 'thinking', 'message', 'usage', 'result'])
  })

  test('is the echoed prompt as proof, and not once more as a message', () => {
    const { events } = replay('two-way-replayed')
    expect(typesOf('two-way-replayed').slice(0, 3)).toEqual(['session', 'consumed', 'tool_started'])
    expect(events.filter((event) => event.type === 'message')).toHaveLength(1)
  })

  test('is nothing of what an interrupted CLI says to its makers', () => {
    expect(recorded('sigint').stdout.toString()).toContain('[ede_diagnostic]')
    expect(replay('sigint').end.result).toBeNull()
    expect(typesOf('sigint')).not.toContain('result')
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
