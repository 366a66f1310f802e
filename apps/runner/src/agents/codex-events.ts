import type { RunEventBody } from '@baton/protocol'
import { readCodexItem } from './codex-items.ts'
import { findCodexReset } from './codex-quota.ts'
import type { CodexRun, CodexState } from './codex-state.ts'
import { countOf, type Fields, fieldsOf, parseFields, textOf } from './json-fields.ts'
import type { ReadSteps } from './runtime.ts'
import { clipText } from './split-text.ts'

const ERROR_BYTES = 2 * 1024

/** What one line of `codex exec --json` means, or null for a line that is none of its events. */
export function readCodexEvent(
  event: Fields,
  state: CodexState,
  run: CodexRun,
  atMs: number,
): ReadSteps | null {
  const type = textOf(event.type)
  if (type === null || !Object.hasOwn(readers, type)) return null
  return { events: readers[type]?.(event, state, run, atMs) ?? [] }
}

type Reader = (event: Fields, state: CodexState, run: CodexRun, atMs: number) => RunEventBody[]

const readers: Record<string, Reader> = {
  'thread.started'(event, state, run) {
    const sessionId = textOf(event.thread_id)
    if (sessionId === null) return []
    state.threadId = sessionId
    return [{ type: 'session', sessionId, model: run.model }]
  },
  'turn.started': () => [],
  'turn.completed'(event, state) {
    const usage = fieldsOf(event.usage)
    state.turn = 'completed'
    state.totals = {
      input: Math.round(countOf(usage.input_tokens)),
      cached: Math.round(countOf(usage.cached_input_tokens)),
      output: Math.round(countOf(usage.output_tokens)),
    }
    return []
  },
  'turn.failed'(event, state, _run, atMs) {
    state.turn = 'failed'
    noteError(state, fieldsOf(event.error).message, atMs)
    return []
  },
  error: readError,
  'item.started': readCodexItem,
  'item.updated': readCodexItem,
  'item.completed': readCodexItem,
}

/** A failed try is told as one, whether it is the last or not; any other error is a warning. */
function readError(event: Fields, state: CodexState, _run: CodexRun, atMs: number): RunEventBody[] {
  const text = textOf(event.message) ?? ''
  const [, attempt, reason] =
    /^Reconnecting\.\.\. (?:(\d+)\/\d+|waiting for network) \((.*)\)$/s.exec(text) ?? []
  if (reason !== undefined) {
    state.retries = attempt === undefined ? state.retries + 1 : Number(attempt)
    state.retrying = clipText(reason, ERROR_BYTES)
    return [{ type: 'retry', attempt: state.retries, reason: state.retrying }]
  }
  noteError(state, text, atMs)
  return state.error === null ? [] : [{ type: 'warning', text: state.error }]
}

function noteError(state: CodexState, message: unknown, atMs: number): void {
  const text = textOf(message)
  if (text === null || text === '') return
  state.error = clipText(plainError(text), ERROR_BYTES)
  state.quotaUntil = findCodexReset(state.error, atMs) ?? state.quotaUntil
}

/** What the service said stands there as it came, often as JSON. */
function plainError(text: string): string {
  const { error } = parseFields(text)
  return textOf(fieldsOf(error).message) ?? text
}
