import type { RunEventBody, Usage } from '@baton/protocol'
import { countOf, type Fields, fieldsOf, jsonText, textOf } from './json-fields.ts'
import { LINES_START, type LinesState } from './json-lines-reader.ts'
import { findQuotaReset } from './quota-reset.ts'
import type { ReadSteps } from './runtime.ts'
import { clipText } from './split-text.ts'

const DETAIL_BYTES = 4 * 1024
const MOST_KEPT = 200
/** Pieces of a message are held until it ends, or up to here. */
const HELD_CHARACTERS = 64 * 1024

/** What a run of Gemini CLI has shown so far. */
export type GeminiState = LinesState & {
  sessionId: string | null
  model: string | null
  consumed: boolean
  /** The pieces of the message that is being written. */
  text: string
  /** What it said since its last tool call: in the end, its answer. */
  answer: string
  /** Tool calls without a result yet, for the words of a refusal. */
  open: { id: string; name: string; detail: string }[]
  deniedTools: string[]
  toolsDone: number
  tries: number
  quotaUntil: number | null
  result: { isError: boolean; kind: string; text: string | null } | null
  usage: Usage | null
}

export const GEMINI_START: GeminiState = {
  ...LINES_START,
  sessionId: null,
  model: null,
  consumed: false,
  text: '',
  answer: '',
  open: [],
  deniedTools: [],
  toolsDone: 0,
  tries: 0,
  quotaUntil: null,
  result: null,
  usage: null,
}

/** What one line of Gemini CLI's stream-json means, or null for a type that is not known. */
export function readGeminiEvent(event: Fields, state: GeminiState): ReadSteps | null {
  const type = textOf(event.type)
  if (type === null || !Object.hasOwn(readers, type)) return null
  const isPiece = type === 'message' && event.role === 'assistant'
  const before = isPiece ? [] : heldGeminiText(state)
  return { events: [...before, ...(readers[type]?.(event, state) ?? [])] }
}

/** The message whose pieces were held back, as one. */
export function heldGeminiText(state: GeminiState): RunEventBody[] {
  const { text } = state
  state.text = ''
  return text === '' ? [] : [{ type: 'message', role: 'assistant', text }]
}

/** Its stderr tells of retries, and of when a quota comes back. */
export function readGeminiError(text: string, state: GeminiState, atMs: number): RunEventBody[] {
  state.quotaUntil = findQuotaReset(text, atMs) ?? state.quotaUntil
  return [...text.matchAll(/^Attempt (\d+) failed(?: with status (\d+))?.*Retrying/gm)].map(
    ([, attempt, status]) => ({
      type: 'retry',
      attempt: Number(attempt),
      reason: status === undefined ? 'unknown' : `HTTP ${status}`,
    }),
  )
}

const readers: Record<string, (event: Fields, state: GeminiState) => RunEventBody[]> = {
  init(event, state) {
    const sessionId = textOf(event.session_id)
    if (sessionId === null) return []
    Object.assign(state, { sessionId, model: textOf(event.model) })
    return [{ type: 'session', sessionId, model: state.model }]
  },
  message(event, state) {
    const text = textOf(event.content) ?? ''
    // The prompt itself, echoed when the CLI took it up: the transcript begins with it anyway.
    if (event.role !== 'assistant') return consumed(state)
    state.text += text
    state.answer = (state.answer + text).slice(-HELD_CHARACTERS)
    return state.text.length > HELD_CHARACTERS || event.delta !== true ? heldGeminiText(state) : []
  },
  tool_use(event, state) {
    const id = textOf(event.tool_id) ?? ''
    const name = textOf(event.tool_name) ?? 'unknown'
    const input = event.parameters ?? {}
    state.answer = ''
    state.open = [...state.open, { id, name, detail: clipText(jsonText(input), DETAIL_BYTES) }].slice(
      -MOST_KEPT,
    )
    return [{ type: 'tool_started', id, name, input }]
  },
  tool_result: readToolResult,
  error: (event) => [{ type: 'warning', text: textOf(event.message) ?? jsonText(event) }],
  result(event, state) {
    const error = fieldsOf(event.error)
    state.result = {
      isError: event.status !== 'success',
      kind: textOf(error.type) ?? '',
      text: clipText(textOf(error.message) ?? '', DETAIL_BYTES) || null,
    }
    state.usage = usageOf(fieldsOf(event.stats), state.model)
    return []
  },
}

function consumed(state: GeminiState): RunEventBody[] {
  if (state.consumed) return []
  state.consumed = true
  return [{ type: 'consumed' }]
}

/** Tools that a permission mode may leave out: calling one of them is refused, not misspelt. */
const GUARDED = ['run_shell_command', 'write_file', 'replace', 'web_fetch', 'save_memory']

function readToolResult(event: Fields, state: GeminiState): RunEventBody[] {
  const id = textOf(event.tool_id) ?? ''
  const call = state.open.find((one) => one.id === id)
  state.open = state.open.filter((one) => one !== call)
  const error = fieldsOf(event.error)
  const ok = event.status === 'success'
  if (ok) state.toolsDone += 1
  const output = textOf(event.output) ?? textOf(error.message) ?? ''
  const finished: RunEventBody = { type: 'tool_finished', id, ok, output, exitCode: null }
  const name = call?.name ?? 'unknown'
  const isDenied =
    error.type === 'policy_violation' ||
    (error.type === 'tool_not_registered' && GUARDED.includes(name)) ||
    (error.type === 'invalid_tool_params' && output.startsWith('Path not in workspace'))
  if (!isDenied) return [finished]
  if (!state.deniedTools.includes(name) && state.deniedTools.length < MOST_KEPT) state.deniedTools.push(name)
  return [finished, { type: 'permission_denied', tool: name, detail: call?.detail ?? output }]
}

/** The numbers of this run; it knows no money. */
function usageOf(stats: Fields, model: string | null): Usage {
  const most = Object.entries(fieldsOf(stats.models))
    .map(([name, use]) => ({ name, tokens: countOf(fieldsOf(use).total_tokens) }))
    .toSorted((one, other) => other.tokens - one.tokens)[0]
  return {
    inputTokens: Math.round(countOf(stats.input_tokens)),
    outputTokens: Math.round(countOf(stats.output_tokens)),
    cachedTokens: Math.round(countOf(stats.cached)),
    costUsd: null,
    model: most?.name ?? model,
  }
}
