import { describe, expect, test } from 'vitest'
import { findCodexReset } from './codex-quota.ts'
import { type CodexReaderOptions, createCodexReader } from './codex-reader.ts'
import { codexSessionId, markOf, parseCodexSession } from './codex-session.ts'
import { CODEX_LOG } from './codex-trace.ts'
import type { Exit, RunReader } from './runtime.ts'

const options: CodexReaderOptions = {
  permissionMode: 'edit',
  model: null,
  sessionId: null,
  instructions: '',
}
const exited: Exit = { exitCode: 0, signal: null, error: null, message: null }
const quiet = { stopReason: null, changedFiles: null }
const line = (event: object) => `${JSON.stringify(event)}\n`
const feed = (reader: RunReader, text: string, stream: 'stdout' | 'stderr' = 'stdout') =>
  reader.read({ stream, bytes: Buffer.from(text), atMs: 0 }).events
const item = (fields: object, when = 'completed') =>
  line({ type: `item.${when}`, item: { id: 'item_0', ...fields } })
const fact = (text: string) =>
  `2026-11-20T10:00:00.000000Z  INFO codex_otel.trace_safe: event.name="codex.${text}\n`

describe('a reader of codex exec', () => {
  test('shows a list of things to do as a plan, each time it changes', () => {
    const reader = createCodexReader(options)
    const items = [
      { text: 'Look', completed: true },
      { text: 'Write', completed: false },
    ]
    const plan = {
      type: 'plan',
      entries: [
        { text: 'Look', status: 'completed' },
        { text: 'Write', status: 'pending' },
      ],
    }
    expect(feed(reader, item({ type: 'todo_list', items }, 'started'))).toEqual([{ type: 'consumed' }, plan])
    expect(feed(reader, item({ type: 'todo_list', items }, 'updated'))).toEqual([plan])
  })

  test('shows calls of tool servers and searches, also those that come only when they ended', () => {
    const reader = createCodexReader(options)
    const call = { type: 'mcp_tool_call', server: 'shop', tool: 'order', arguments: { id: 7 } }
    const result = { content: [{ type: 'text', text: 'ordered' }, { type: 'image' }] }
    expect(feed(reader, item({ ...call, result, status: 'completed' }))).toMatchObject([
      { type: 'consumed' },
      { type: 'tool_started', name: 'mcp__shop__order', input: { id: 7 } },
      { type: 'tool_finished', ok: true, output: 'ordered\n[image]' },
    ])
    expect(feed(reader, item({ type: 'web_search', query: 'shops' }))).toMatchObject([
      { type: 'tool_started', name: 'web_search', input: { query: 'shops' } },
      { type: 'tool_finished', ok: true },
    ])
    const error = { message: 'MCP tool call requires approval, but approval policy is never' }
    expect(feed(reader, item({ ...call, error, status: 'failed' }))).toMatchObject([
      { type: 'tool_started' },
      { type: 'tool_finished', ok: false, output: error.message },
      { type: 'permission_denied', tool: 'mcp__shop__order' },
    ])
  })

  test('takes a command that says that its file system is read-only for refused, but not in full mode', () => {
    const failed = {
      ...{ type: 'command_execution', command: 'touch /etc/x', exit_code: 1, status: 'failed' },
      aggregated_output: "touch: cannot touch '/etc/x': Read-only file system\n",
    }
    const types = (permissionMode: 'edit' | 'full') =>
      feed(createCodexReader({ ...options, permissionMode }), item(failed)).map(({ type }) => type)
    expect(types('edit')).toContain('permission_denied')
    expect(types('full')).not.toContain('permission_denied')
  })

  test('keeps the log that it asked for out of the transcript, and takes nothing else for it', () => {
    const reader = createCodexReader(options)
    expect(CODEX_LOG).toContain('codex_otel.trace_safe')
    expect(feed(reader, fact('api_request" http.response.status_code=200 attempt=0'), 'stderr')).toEqual([])
    expect(feed(reader, 'WARN something else: outcome=denied\n', 'stderr')).toEqual([
      { type: 'output', stream: 'stderr', text: 'WARN something else: outcome=denied\n' },
    ])
  })

  test('knows the class of an error by its HTTP status when the words say nothing', () => {
    const endOf = (status: number) => {
      const reader = createCodexReader(options)
      feed(reader, fact(`api_request" http.response.status_code=${status} attempt=0`), 'stderr')
      feed(reader, line({ type: 'turn.failed', error: { message: 'Something is wrong.' } }))
      return reader.end({ ...exited, exitCode: 1 }, quiet).end.errorKind
    }
    expect([401, 403, 429, 503].map(endOf)).toEqual(['not_signed_in', 'not_signed_in', 'quota', 'api_error'])
  })

  test('adds up what each request took while the run goes on', () => {
    const reader = createCodexReader(options)
    const request =
      'sse_event" event.kind=response.completed input_token_count=100 output_token_count=10 cached_token_count=40'
    expect(reader.usageSoFar?.()).toBeNull()
    feed(reader, fact(request) + fact(request), 'stderr')
    expect(reader.usageSoFar?.()).toMatchObject({ inputTokens: 200, outputTokens: 20, cachedTokens: 80 })
  })

  test('survives fields of any other type', () => {
    const odd = [null, 1, 'text', [], {}, [null], [[1]], { type: 'x' }]
    const kinds = ['command_execution', 'file_change', 'mcp_tool_call', 'todo_list', 'agent_message', 'error']
    for (const value of odd) {
      for (const type of ['thread.started', 'turn.completed', 'turn.failed', 'error', 'item.completed']) {
        const reader = createCodexReader(options)
        feed(
          reader,
          line({ type, thread_id: value, usage: value, error: value, message: value, item: value }),
        )
        for (const kind of kinds)
          feed(reader, item({ type: kind, items: value, changes: value, result: value, exit_code: value }))
        expect(reader.end(exited, quiet).end.state).toBeTypeOf('string')
      }
    }
  })

  test('leaves a line whose type it does not know as it is', () => {
    expect(feed(createCodexReader(options), line({ type: 'constructor' }))).toMatchObject([
      { type: 'output' },
    ])
  })
})

describe('the session id of a run of Codex', () => {
  const thread = '018f3c5e-7a10-7b6e-9c55-2f6f0d1c9a01'

  test('holds what the thread had used and was told, and a bare one tells nothing', () => {
    const totals = { input: 300, cached: 20, output: 10 }
    const id = codexSessionId(thread, totals, markOf('Be kind.'))
    expect(id).toMatch(/~300\.20\.10\.[0-9a-f]{8}$/)
    expect(parseCodexSession(id)).toEqual({ threadId: thread, before: totals, told: markOf(' Be kind.\n') })
    const none = { input: 0, cached: 0, output: 0 }
    expect(parseCodexSession(thread)).toEqual({ threadId: thread, before: none, told: null })
  })

  test('is nothing else that could stand on an argv', () => {
    for (const text of [
      '',
      '--last',
      `${thread}~1.2`,
      `${thread}~1.2.3`,
      `${thread}~1.2.3.4.5`,
      `-${thread}`,
      `${thread}\n`,
    ])
      expect(parseCodexSession(text)).toBeNull()
  })
})

describe('the time when Codex says that an account is free again', () => {
  const at = (text: string, now: Date) => {
    const found = findCodexReset(text, now.getTime())
    return found === null ? null : new Date(found)
  }

  test('is that of the same day, of the next one after midnight, or of the day that it names', () => {
    const morning = new Date(2026, 10, 20, 9, 30)
    expect(at('or try again at 3:08 PM.', morning)).toEqual(new Date(2026, 10, 20, 15, 9))
    expect(at('or try again at 12:05 AM.', new Date(2026, 10, 20, 23, 55))).toEqual(
      new Date(2026, 10, 21, 0, 6),
    )
    expect(at('try again at Nov 24th, 2026 12:30 PM.', morning)).toEqual(new Date(2026, 10, 24, 12, 31))
  })

  test('may also be a wait, and is not known of other words', () => {
    const now = new Date(2026, 10, 20, 9, 30)
    expect(at('Please try again in 2h 5m.', now)).toEqual(new Date(2026, 10, 20, 11, 35))
    expect(at('The usage limit has been reached', now)).toBeNull()
  })
})
