import { describe, expect, test } from 'vitest'
import {
  describeFixtures,
  expectNotDoneByExitCode,
  openFixtures,
  quiet,
  testEnds,
  WRITE_FILE_TYPES,
} from '../../test/agents/replay-fixture.ts'
import { createCodexReader } from './codex-reader.ts'
import type { RunFacts } from './runtime.ts'

const thread = '00000000-0000-4000-8000-000000000001'
const modes: Record<string, 'read_only' | 'full'> = {
  'shell-refused': 'read_only',
  'write-refused': 'read_only',
  full: 'full',
}
const fixtures = openFixtures('codex-0.169.0', (name, from) =>
  createCodexReader(
    {
      permissionMode: modes[name] ?? 'edit',
      model: 'gpt-x',
      sessionId: name === 'resume' ? `${thread}~100.0.10.0` : null,
      instructions: '',
    },
    from,
  ),
)
const { replay, typesOf } = fixtures

describeFixtures(fixtures)

describe('the end of a run of Codex', () => {
  testEnds(fixtures, {
    'succeeded, done': [
      'plain-answer',
      'thinking',
      'write-file',
      'shell-fails',
      'full',
      'resume',
      'api-429-once',
    ],
    'succeeded, done_with_warnings': ['refused-in-part'],
    'failed, blocked_by_permission, permission_denied': ['shell-refused', 'write-refused'],
    'failed, error, container': ['broken-sandbox'],
    'failed, error, session_lost': ['resume-unknown'],
    'failed, error, api_error': ['api-400', 'api-500', 'stream-cut'],
    'failed, error, not_signed_in': ['api-401'],
    'failed, error, quota': ['api-429'],
    'failed, error, killed': ['unreachable', 'sigterm'],
    'failed, error, crashed': ['sigint'],
  })

  test('is not what the exit code says: refused runs exit with 0 and are not done', () => {
    expectNotDoneByExitCode(fixtures, ['shell-refused', 'write-refused', 'broken-sandbox'])
  })

  test('carries the reason in the words of the service', () => {
    expect(replay('api-400').end.message).toBe('The stand-in model was told to fail with 400.')
    expect(replay('resume-unknown').end.message).toContain('no rollout found')
    expect(replay('api-429').end.message).toContain('hit your usage limit')
  })

  test('of a used-up account says when it is free again', () => {
    const atMs = new Date(2026, 10, 20, 9, 59, 30).getTime()
    expect(replay('api-429', { atMs }).end.quotaUntil).toBe(new Date(2026, 10, 20, 11, 1).getTime())
  })

  test('that waited for the network until its silence limit says what it waited for', () => {
    const silence: RunFacts = { ...quiet, stopReason: 'timeout_silence' }
    expect(replay('unreachable', { facts: silence }).end).toMatchObject({
      state: 'timed_out',
      errorKind: 'timeout_silence',
      message: expect.stringContaining('Connection failed'),
    })
  })

  test('is a cancel only when Baton asked for it', () => {
    const cancelled: RunFacts = { ...quiet, stopReason: 'cancelled' }
    expect(replay('sigterm', { facts: cancelled }).end.state).toBe('cancelled')
    expect(replay('plain-answer', { facts: cancelled }).end.state).toBe('succeeded')
  })

  test('tells a run that was to change files and changed none', () => {
    const none: RunFacts = { ...quiet, changedFiles: 0 }
    expect(replay('plain-answer', { facts: none }).end.outcome).toBe('changed_nothing')
  })
})

describe('what a run of Codex shows', () => {
  test('is its session, the proof that the prompt was taken, its tools with their results, and its answer', () => {
    const { events, end } = replay('write-file')
    expect(typesOf('write-file')).toEqual(WRITE_FILE_TYPES)
    expect(events.find(({ type }) => type === 'tool_finished')).toMatchObject({
      ok: true,
      output: 'add /home/dev/shop/notes.txt',
    })
    expect(end).toMatchObject({ result: 'Written.', sessionId: `${thread}~200.0.20.0` })
  })

  test('is the exit code and output of a command that failed', () => {
    const { events } = replay('shell-fails')
    expect(events.find(({ type }) => type === 'tool_finished')).toMatchObject({
      ok: false,
      exitCode: 3,
      output: 'partly\n',
    })
  })

  test('is each refusal, also one that has no event of its own', () => {
    for (const [name, tool] of [
      ['shell-refused', 'shell'],
      ['write-refused', 'apply_patch'],
      ['refused-in-part', 'shell'],
    ]) {
      const denials = replay(name as string).events.filter(({ type }) => type === 'permission_denied')
      expect(denials).toEqual([{ type: 'permission_denied', tool, detail: expect.any(String) }])
    }
  })

  test('is thinking apart from speech, and each retry with its reason', () => {
    expect(typesOf('thinking')).toEqual(['session', 'consumed', 'thinking', 'message', 'usage', 'result'])
    expect(replay('api-429-once').events.find(({ type }) => type === 'retry')).toMatchObject({
      attempt: 1,
      reason: expect.stringContaining('429'),
    })
  })

  test('is no sign that the prompt was taken when the model could not be asked', () => {
    for (const name of ['unreachable', 'api-401', 'api-500']) expect(typesOf(name)).not.toContain('consumed')
  })

  test('is stderr without the log that Baton asked for', () => {
    const text = replay('shell-refused').events.map((event) => (event.type === 'output' ? event.text : ''))
    expect(text.join('')).toContain('failed to connect to Responses WebSocket')
    expect(text.join('')).not.toContain('codex_otel')
  })
})

describe('tokens of Codex', () => {
  test('are those of this run, although Codex counts the thread', () => {
    expect(replay('resume').end).toMatchObject({
      usage: { inputTokens: 100, outputTokens: 10, costUsd: null, model: 'gpt-x' },
      sessionId: `${thread}~200.0.20.0`,
      result: 'This conversation has 2 user prompts.',
    })
    expect(replay('usage').end.usage).toMatchObject({ inputTokens: 12_000, outputTokens: 345 })
  })

  test('are known while it runs, and of a run that was killed', () => {
    const { end } = replay('sigterm')
    expect(end).toMatchObject({
      usage: { inputTokens: 100, outputTokens: 10 },
      sessionId: `${thread}~100.0.10.0`,
    })
  })
})
