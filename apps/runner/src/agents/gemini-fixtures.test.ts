import { describe, expect, test } from 'vitest'
import {
  describeFixtures,
  expectNotDoneByExitCode,
  openFixtures,
  testEnds,
  WRITE_FILE_TYPES,
} from '../../test/agents/replay-fixture.ts'
import { geminiDriver } from './gemini.ts'
import type { ReaderContext, RunFacts } from './runtime.ts'

const openGemini = (permissionMode: 'read_only' | 'edit') => {
  const context = {
    delivery: { agent: { command: null, permissionMode }, sessionId: null },
    policy: { commands: {} },
  } as unknown as ReaderContext
  return openFixtures('gemini-0.61.0', (_name, from) => geminiDriver.createReader(context, from))
}
const fixtures = openGemini('read_only')
const { replay, typesOf } = fixtures

describeFixtures(fixtures)

describe('the end of a run of Gemini CLI', () => {
  testEnds(fixtures, {
    'succeeded, done': [
      'plain-answer',
      'thinking',
      'write-file',
      'shell',
      'shell-fails',
      'router',
      'resume',
      'api-500-once',
    ],
    'succeeded, done_with_warnings': ['refused-in-part'],
    'failed, blocked_by_permission, permission_denied': ['shell-refused', 'write-refused', 'outside'],
    'failed, error, api_error': ['api-400', 'api-500', 'stream-cut', 'unreachable'],
    'failed, error, not_signed_in': ['api-401', 'not-signed-in'],
    'failed, error, quota': ['api-429'],
    'failed, error, session_lost': ['resume-unknown'],
    'failed, error, crashed': ['sigterm'],
    'failed, error, killed': ['sigkill'],
  })

  test('is not what the exit code says: an interrupted and a refused run exit with 0 and are not done', () => {
    expectNotDoneByExitCode(fixtures, ['sigterm', 'shell-refused'])
  })

  test('of one that Baton stopped is that stop, unless it was done before', () => {
    const facts: RunFacts = { stopReason: 'cancelled', changedFiles: null }
    expect(replay('sigterm', { facts }).end.state).toBe('cancelled')
    expect(replay('plain-answer', { facts }).end.state).toBe('succeeded')
  })

  test('says that nothing was changed when it may edit and did not', () => {
    const facts: RunFacts = { stopReason: null, changedFiles: 0 }
    expect(openGemini('edit').replay('plain-answer', { facts }).end.outcome).toBe('changed_nothing')
  })

  test('of a used up quota says when it comes back', () => {
    expect(replay('api-429', { atMs: 1_000 }).end).toMatchObject({ quotaUntil: 3_601_000 })
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
  test('join the pieces of a message', () => {
    const said = replay('slow-stream').events.filter((event) => event.type === 'message')
    expect(said).toEqual([
      { type: 'message', role: 'assistant', text: 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\nAnd more.' },
    ])
  })

  test('keep the order of what was said and done', () => {
    expect(typesOf('write-file')).toEqual(WRITE_FILE_TYPES)
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
