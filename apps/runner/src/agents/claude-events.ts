import type { RunEventBody } from '@baton/protocol'
import { noteConsumed, noteDenial, readCancelRequest, readControlRequest } from './claude-control.ts'
import type { ClaudeState } from './claude-state.ts'
import { addUsage, NO_CALLS, noteCall } from './claude-usage.ts'
import { countOf, type Fields, fieldsOf, jsonText, listOf, textOf } from './json-fields.ts'
import type { ReadSteps } from './runtime.ts'
import { clipText, storableText } from './split-text.ts'

/** What Claude Code says to its own makers when it was interrupted. */
const DIAGNOSTIC = /^\[ede_diagnostic\]/
/** The settle report takes no longer result. */
const RESULT_BYTES = 200 * 1024

/**
 * What one line of Claude Code's stream-json means; `state` takes up what later lines and the end depend on. Null for a
 * type that is not known. Types that say nothing about the work (hooks, partial messages, counters) mean no event.
 */
export function readClaudeEvent(event: Fields, state: ClaudeState): ReadSteps | null {
  const type = textOf(event.type)
  if (type === null || !Object.hasOwn(readers, type)) return null
  return readers[type]?.(event, state) ?? null
}

type Reader = (event: Fields, state: ClaudeState) => ReadSteps

const readers: Record<string, Reader> = {
  system: (event, state) => ({ events: readSystem(event, state) }),
  assistant: (event, state) => ({ events: readAssistant(event, state) }),
  user: (event, state) => ({ events: readUser(event, state) }),
  result: readResult,
  control_request: readControlRequest,
  control_response: () => ({ events: [] }),
  control_cancel_request: readCancelRequest,
  stream_event: () => ({ events: [] }),
  tool_progress: () => ({ events: [] }),
  keep_alive: () => ({ events: [] }),
  rate_limit_event: (event, state) => {
    const limit = fieldsOf(event.rate_limit_info)
    if (limit.status === 'rejected') state.quotaResetsAt = countOf(limit.resetsAt) || null
    return { events: [] }
  },
}

function readSystem(event: Fields, state: ClaudeState): RunEventBody[] {
  switch (event.subtype) {
    case 'init':
      return readInit(event, state)
    case 'api_retry': {
      const status = countOf(event.error_status)
      const reason = [status > 0 ? `HTTP ${status}` : null, textOf(event.error)].filter(
        (part) => part !== null,
      )
      return [
        {
          type: 'retry',
          attempt: Math.round(countOf(event.attempt)),
          reason: reason.join(', ') || 'unknown',
        },
      ]
    }
    case 'permission_denied':
      return noteDenial(state, event.tool_use_id, event.tool_name, textOf(event.message) ?? '')
    default:
      return []
  }
}

/** It comes again for each turn; only what is new is told. */
function readInit(event: Fields, state: ClaudeState): RunEventBody[] {
  const sessionId = textOf(event.session_id)
  const model = textOf(event.model)
  if (sessionId === null || (sessionId === state.sessionId && model === state.model)) return []
  Object.assign(state, { sessionId, model })
  return [{ type: 'session', sessionId, model }]
}

function readAssistant(event: Fields, state: ClaudeState): RunEventBody[] {
  const blocks = listOf(fieldsOf(event.message).content).map(fieldsOf)
  if (event.is_api_error_message === true || textOf(event.error) !== null) {
    state.apiError = textOf(event.error)
    return blocks.flatMap(({ text }) => (typeof text === 'string' ? [{ type: 'warning', text }] : []))
  }
  state.calls = noteCall(state.calls, fieldsOf(event.message))
  return [...consumed(state), ...blocks.flatMap(readBlock)]
}

function readBlock(block: Fields): RunEventBody[] {
  const { text, thinking } = block
  switch (block.type) {
    case 'text':
      return typeof text === 'string' && text !== '' ? [{ type: 'message', role: 'assistant', text }] : []
    case 'thinking':
      return typeof thinking === 'string' && thinking !== '' ? [{ type: 'thinking', text: thinking }] : []
    case 'tool_use':
    case 'server_tool_use':
      return [
        {
          type: 'tool_started',
          id: textOf(block.id) ?? '',
          name: textOf(block.name) ?? '',
          input: block.input ?? {},
        },
      ]
    default:
      return []
  }
}

function readUser(event: Fields, state: ClaudeState): RunEventBody[] {
  // The prompt itself, echoed when the CLI took it up: the transcript begins with it anyway.
  const content = fieldsOf(event.message).content
  if (event.isReplay === true) return [...consumed(state), ...noteConsumed(contentText(content), state)]
  const blocks = listOf(content).map(fieldsOf)
  // The prompt of a subagent is in the input of the tool call that started it.
  const isSubagents = textOf(event.parent_tool_use_id) !== null
  return blocks.flatMap((block): RunEventBody[] => {
    if (block.type === 'tool_result') return [toolFinished(block, state)]
    const text = textOf(block.text)
    return text && !isSubagents ? [{ type: 'message', role: 'user', text }] : []
  })
}

function toolFinished(block: Fields, state: ClaudeState): RunEventBody {
  const ok = block.is_error !== true
  if (ok) state.toolsDone += 1
  const output = contentText(block.content)
  const exitCode = ok ? undefined : /^Exit code (\d{1,3})\b/.exec(output)?.[1]
  return {
    type: 'tool_finished',
    id: textOf(block.tool_use_id) ?? '',
    ok,
    output,
    exitCode: exitCode === undefined ? null : Number(exitCode),
  }
}

/** The text of a tool's answer; a picture or another kind of block is named. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  return listOf(content)
    .map(fieldsOf)
    .map((block) => textOf(block.text) ?? `[${textOf(block.type) ?? 'unknown'}]`)
    .join('\n')
}

function consumed(state: ClaudeState): RunEventBody[] {
  if (state.consumed) return []
  state.consumed = true
  return [{ type: 'consumed' }]
}

/**
 * The end of a turn. Where nothing that a person said waits to be heard, nobody will write another prompt, so stdin is
 * closed and the process may end.
 */
function readResult(event: Fields, state: ClaudeState): ReadSteps {
  const errors = listOf(event.errors).filter((one) => typeof one === 'string' && !DIAGNOSTIC.test(one))
  const text = textOf(event.result) ?? (errors.length > 0 ? errors.join('\n') : null)
  state.result = {
    isError: event.is_error === true,
    subtype: textOf(event.subtype) ?? '',
    reason: textOf(event.terminal_reason),
    apiStatus: countOf(event.api_error_status) || null,
    text: text === null ? null : clipText(storableText(text), RESULT_BYTES),
  }
  state.sessionId ??= textOf(event.session_id)
  state.usage = addUsage(state.usage, event, state.model)
  state.calls = NO_CALLS
  const denials = listOf(event.permission_denials).map(fieldsOf)
  const events: RunEventBody[] = denials.flatMap((one) =>
    noteDenial(state, one.tool_use_id, one.tool_name, jsonText(one.tool_input ?? {})),
  )
  state.closing = !state.steers.some(({ sure }) => sure)
  return { events: [...events, { type: 'usage', usage: state.usage }], closeStdin: state.closing }
}
