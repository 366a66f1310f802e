import type { RunEventBody, Usage } from '@baton/protocol'
import { countOf, type Fields, fieldsOf, jsonText, listOf, textOf } from './json-fields.ts'
import type { OpencodeState } from './opencode-state.ts'
import { findQuotaReset } from './quota-reset.ts'
import type { ReadSteps } from './runtime.ts'
import { clipText } from './split-text.ts'

const DETAIL_BYTES = 4 * 1024
const MOST_KEPT = 200
const MOST_RETRIES = 5
/** As much as the settle report takes. */
const ANSWER_BYTES = 200 * 1024

export type OpencodeRun = { model: string | null }

/** What one line of `opencode run --format json` means, or null for a line that is none of its events. */
export function readOpencodeEvent(
  event: Fields,
  state: OpencodeState,
  run: OpencodeRun,
  atMs: number,
): ReadSteps | null {
  const type = textOf(event.type)
  if (type === null || !Object.hasOwn(readers, type)) return null
  const session = readSession(event, state, run)
  state.refused = null
  const events = [...session, ...(readers[type]?.(event, state, run, atMs) ?? [])]
  return { events, ...(breaksOff(state) && { ended: true }) }
}

/** It would begin the same step again for ever. */
function breaksOff(state: OpencodeState): boolean {
  if (state.retries < MOST_RETRIES) return false
  const text = `The model service broke off its answer ${state.retries} times in a row.`
  state.error ??= { name: 'APIError', status: null, text }
  return true
}

/** Every event names the session; it is told once. */
function readSession(event: Fields, state: OpencodeState, { model }: OpencodeRun): RunEventBody[] {
  const sessionId = textOf(event.sessionID)
  if (sessionId === null || state.sessionId !== null) return []
  state.sessionId = sessionId
  return [{ type: 'session', sessionId, model }]
}

type Reader = (event: Fields, state: OpencodeState, run: OpencodeRun, atMs: number) => RunEventBody[]

const readers: Record<string, Reader> = {
  /** A step that begins again without having ended is a try that failed in the middle. */
  step_start(_event, state) {
    const isAgain = state.inStep
    state.inStep = true
    if (!isAgain) return consumed(state)
    state.retries += 1
    return [{ type: 'retry', attempt: state.retries, reason: 'the answer broke off' }]
  },
  text(event, state) {
    const text = textOf(fieldsOf(event.part).text) ?? ''
    if (text === '') return []
    state.answer = clipText(state.answer === '' ? text : `${state.answer}\n${text}`, ANSWER_BYTES)
    return [...consumed(state), { type: 'message', role: 'assistant', text }]
  },
  reasoning(event, state) {
    const text = textOf(fieldsOf(event.part).text) ?? ''
    return text === '' ? [] : [...consumed(state), { type: 'thinking', text }]
  },
  tool_use: (event, state) => [...consumed(state), ...readToolUse(fieldsOf(event.part), state)],
  step_finish(event, state, run) {
    const part = fieldsOf(event.part)
    state.inStep = false
    state.retries = 0
    state.steps += 1
    state.reason = textOf(part.reason)
    state.usage = addStep(state.usage, part, run.model)
    return []
  },
  error(event, state, _run, atMs) {
    const error = fieldsOf(event.error)
    const details = fieldsOf(error.data)
    const text = clipText(textOf(details.message) ?? jsonText(error), DETAIL_BYTES)
    const status = countOf(details.statusCode) || null
    state.error = { name: textOf(error.name) ?? '', status, text }
    state.quotaUntil = resetOf(fieldsOf(details.responseHeaders), text, atMs)
    return [{ type: 'warning', text }]
  },
}

function consumed(state: OpencodeState): RunEventBody[] {
  if (state.consumed) return []
  state.consumed = true
  return [{ type: 'consumed' }]
}

/** A tool call comes only when it has ended. */
function readToolUse(part: Fields, state: OpencodeState): RunEventBody[] {
  const call = fieldsOf(part.state)
  const id = textOf(part.callID) ?? ''
  const { name, input, unavailable } = calledTool(textOf(part.tool) ?? 'unknown', call)
  const exit = fieldsOf(call.metadata).exit
  const exitCode = typeof exit === 'number' ? Math.round(exit) : null
  const error = textOf(call.error) ?? unavailable
  const ok = call.status === 'completed' && error === null && (exitCode ?? 0) === 0
  const output = error ?? textOf(call.output) ?? ''
  state.answer = ''
  if (ok) state.toolsDone += 1
  if (name === 'todowrite' && ok) return [{ type: 'plan', entries: listOf(input.todos).map(planEntry) }]
  return [
    { type: 'tool_started', id, name, input },
    { type: 'tool_finished', id, ok, output, exitCode },
    ...(error === null ? [] : readRefusal(name, input, error, state)),
  ]
}

/** A tool that a rule leaves out is called by the name of "invalid", with its own name inside. */
function calledTool(name: string, call: Fields): { name: string; input: Fields; unavailable: string | null } {
  const input = fieldsOf(call.input)
  if (name !== 'invalid') return { name, input, unavailable: null }
  const unavailable = textOf(input.error)?.split('. Available tools')[0] ?? 'It is no tool.'
  return { name: textOf(input.tool) ?? name, input: {}, unavailable }
}

const DENIED = /rule which prevents you|rejected permission/
/** Tools that a permission mode may leave out: calling one of them is refused, not misspelt. */
const GUARDED = ['bash', 'edit', 'write', 'patch', 'apply_patch', 'multiedit', 'webfetch', 'websearch']

function readRefusal(name: string, input: Fields, error: string, state: OpencodeState): RunEventBody[] {
  const isLeftOut = error.includes('unavailable tool') && GUARDED.includes(name)
  if (!isLeftOut && !DENIED.test(error)) return []
  if (error.includes('rejected permission')) state.stoppedAsking = true
  if (!state.deniedTools.includes(name) && state.deniedTools.length < MOST_KEPT) state.deniedTools.push(name)
  const detail = Object.keys(input).length > 0 ? jsonText(input) : error
  return [{ type: 'permission_denied', tool: name, detail: clipText(detail, DETAIL_BYTES) }]
}

function planEntry(value: unknown): { text: string; status: 'pending' | 'in_progress' | 'completed' } {
  const { content, status } = fieldsOf(value)
  const isKnown = status === 'in_progress' || status === 'completed'
  return { text: textOf(content) ?? '', status: isKnown ? status : 'pending' }
}

/** Each step is one request; its tokens and money are added up. */
function addStep(before: Usage | null, part: Fields, model: string | null): Usage {
  const tokens = fieldsOf(part.tokens)
  const cache = fieldsOf(tokens.cache)
  const cached = countOf(cache.read)
  return {
    inputTokens:
      (before?.inputTokens ?? 0) + Math.round(countOf(tokens.input) + cached + countOf(cache.write)),
    outputTokens:
      (before?.outputTokens ?? 0) + Math.round(countOf(tokens.output) + countOf(tokens.reasoning)),
    cachedTokens: (before?.cachedTokens ?? 0) + Math.round(cached),
    costUsd: (before?.costUsd ?? 0) + countOf(part.cost),
    model,
  }
}

/** `Retry-After` is seconds or a date. */
function resetOf(headers: Fields, text: string, atMs: number): number | null {
  const after = textOf(headers['retry-after'])
  if (after === null) return findQuotaReset(text, atMs)
  const until = /^\d+$/.test(after) ? atMs + Number(after) * 1_000 : Date.parse(after)
  return Number.isFinite(until) ? until : null
}
