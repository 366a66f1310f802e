import { describe, expect, test } from 'vitest'
import {
  describeFixtures,
  expectNotDoneByExitCode,
  openFixtures,
  testEnds,
  WRITE_FILE_TYPES,
} from '../../test/agents/replay-fixture.ts'
import { createOpencodeReader } from './opencode-reader.ts'

const fixtures = openFixtures('opencode-1.18.33', (_name, from) =>
  createOpencodeReader({ model: null, expectsChanges: false }, from),
)
const { replay, typesOf } = fixtures

describeFixtures(fixtures)

describe('the end of a run of opencode', () => {
  testEnds(fixtures, {
    'succeeded, done': [
      'plain-answer',
      'thinking',
      'write-file',
      'shell-fails',
      'todo-list',
      'resume',
      'api-500-once',
    ],
    'succeeded, done_with_warnings': ['refused-in-part'],
    'failed, blocked_by_permission, permission_denied': [
      'shell-refused',
      'tool-left-out',
      'asked-and-stopped',
      'outside',
    ],
    'failed, error, session_lost': ['resume-unknown'],
    'failed, error, api_error': ['api-400'],
    'failed, error, not_signed_in': ['api-401'],
    'failed, error, crashed': ['unknown-model'],
    'failed, error, killed': ['stream-cut', 'sigterm'],
    'failed, error, quota': ['api-429'],
  })

  test('is not what the exit code says: runs that were stopped by a question exit with 0', () => {
    expectNotDoneByExitCode(fixtures, ['asked-and-stopped', 'shell-refused', 'tool-left-out'])
  })

  test('carries the reason in the words of the service', () => {
    expect(replay('api-401').end.message).toBe('The stand-in model was told to fail with 401.')
  })
})

describe('what a run of opencode shows', () => {
  test('is its session, the proof that the prompt was taken, its tools with their results, and its answer', () => {
    const { events, end } = replay('write-file')
    expect(typesOf('write-file')).toEqual(WRITE_FILE_TYPES)
    expect(events[3]).toMatchObject({ name: 'write', input: { filePath: 'notes.txt' } })
    expect(end).toMatchObject({ result: 'Written.', sessionId: 'ses_0001' })
  })

  test('is the exit code of a command that failed, although opencode calls it completed', () => {
    expect(replay('shell-fails').events.find(({ type }) => type === 'tool_finished')).toMatchObject({
      ok: false,
      exitCode: 3,
    })
  })

  test('is its list of things to do as a plan', () => {
    expect(replay('todo-list').events.find(({ type }) => type === 'plan')).toEqual({
      type: 'plan',
      entries: [
        { text: 'Look', status: 'completed' },
        { text: 'Write', status: 'in_progress' },
      ],
    })
  })

  test('is each refusal by the name of the tool, also of one that was left out', () => {
    const tools = (name: string) =>
      replay(name).events.flatMap((event) => (event.type === 'permission_denied' ? [event.tool] : []))
    expect(tools('shell-refused')).toEqual(['bash'])
    expect(tools('tool-left-out')).toEqual(['bash', 'write'])
    expect(tools('asked-and-stopped')).toEqual(['bash'])
    expect(tools('outside')).toEqual(['write'])
  })

  test('is each step that begins again as a retry', () => {
    expect(typesOf('stream-cut').filter((type) => type === 'retry').length).toBeGreaterThan(0)
  })

  test('is the sum of the tokens and the money of its requests', () => {
    const { usage } = replay('usage').end
    expect(usage).toMatchObject({ inputTokens: 24_000, outputTokens: 690 })
    expect(usage?.costUsd).toBeCloseTo(2 * (0.036 + 0.005_175), 6)
  })
})
