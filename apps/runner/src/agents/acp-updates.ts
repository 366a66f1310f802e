import type { RunEventBody } from '@baton/protocol'
import { type AcpCall, type AcpState, heldAcpText } from './acp-state.ts'
import { countOf, type Fields, fieldsOf, jsonText, listOf, textOf } from './json-fields.ts'
import type { JsonValue } from './runtime.ts'

const MOST_KEPT = 200
const HELD_CHARACTERS = 64 * 1024

/** What one session/update means. What an agent tells of an earlier conversation while it loads it means nothing. */
export function readAcpUpdate(update: Fields, state: AcpState): RunEventBody[] {
  const kind = textOf(update.sessionUpdate) ?? ''
  if (kind === 'usage_update') return readUsage(update, state)
  if (state.phase !== 'prompt' || !Object.hasOwn(readers, kind)) return []
  const told: RunEventBody[] = state.consumed ? [] : [{ type: 'consumed' }]
  state.consumed = true
  return [...told, ...(readers[kind]?.(update, state) ?? [])]
}

const readers: Record<string, (update: Fields, state: AcpState) => RunEventBody[]> = {
  user_message_chunk: () => [],
  agent_message_chunk: (update, state) => hold('message', update, state),
  agent_thought_chunk: (update, state) => hold('thinking', update, state),
  tool_call: (update, state) => readCall(update, state),
  tool_call_update: (update, state) => readCall(update, state),
  plan: (update, state) => [
    ...heldAcpText(state),
    { type: 'plan', entries: listOf(update.entries).map(planEntry) },
  ],
  notice: (update, state) => [
    ...heldAcpText(state),
    { type: 'warning', text: textOf(update.message) ?? jsonText(update) },
  ],
  compaction_update: (_, state) => [
    ...heldAcpText(state),
    { type: 'status', text: 'It compacts its conversation.' },
  ],
}

function planEntry(value: unknown) {
  const { content, status } = fieldsOf(value)
  const known = (['pending', 'in_progress', 'completed'] as const).find((one) => one === status)
  return { text: textOf(content) ?? '', status: known ?? ('pending' as const) }
}

/** Joins the pieces of one message: a piece of another kind or message ends it. */
function hold(type: 'message' | 'thinking', update: Fields, state: AcpState): RunEventBody[] {
  const content = fieldsOf(update.content)
  const text = textOf(content.text) ?? `[${textOf(content.type) ?? 'unknown'}]`
  const id = textOf(update.messageId) ?? ''
  if (type === 'message') state.answer = (state.answer + text).slice(-HELD_CHARACTERS)
  const { held } = state
  if (held !== null && held.type === type && held.id === id && held.text.length < HELD_CHARACTERS) {
    held.text += text
    return []
  }
  const before = heldAcpText(state)
  state.held = { type, id, text }
  return before
}

/** A call in whatever shape it comes: new, with more known of it, or finished. An agent may leave the first out. */
function readCall(update: Fields, state: AcpState): RunEventBody[] {
  const before = heldAcpText(state)
  const call = noteCall(update, state)
  state.answer = ''
  const { status } = update
  if (status === 'completed' || status === 'failed') {
    state.calls = state.calls.filter((one) => one !== call)
    const told = tellCall(call)
    if (status === 'completed') state.toolsDone += 1
    return [...before, ...told, finishedCall(call, update, status === 'completed')]
  }
  return status === 'in_progress' ? [...before, ...tellCall(call)] : before
}

/** The call that an update or a permission request is about, with what is said of it taken over. */
export function noteCall(update: Fields, state: AcpState): AcpCall {
  const id = textOf(update.toolCallId) ?? ''
  let call = state.calls.find((one) => one.id === id)
  if (call === undefined) {
    call = { id, kind: 'other', title: '', input: null, paths: [], isTold: false }
    state.calls = [...state.calls, call].slice(-MOST_KEPT)
  }
  call.kind = textOf(update.kind) ?? call.kind
  call.title = textOf(update.title) ?? call.title
  if (update.rawInput !== undefined && update.rawInput !== null) call.input = update.rawInput as JsonValue
  const paths = [...listOf(update.locations), ...listOf(update.content)].flatMap(
    (one) => textOf(fieldsOf(one).path) ?? [],
  )
  if (paths.length > 0) call.paths = [...new Set(paths)]
  return call
}

/** A tool_started, once for each call. */
export function tellCall(call: AcpCall): RunEventBody[] {
  if (call.isTold) return []
  call.isTold = true
  return [{ type: 'tool_started', id: call.id, name: call.kind, input: inputOf(call) }]
}

/**
 * What the call is about. An agent that shows no input has it in the title: there stands the command, where it is one.
 * `path` is what an allow-list is compared with, so it is there only where the call is about this one alone.
 */
export function inputOf({ kind, title, input, paths }: AcpCall): { [name: string]: JsonValue } {
  const known = fieldsOf(input) as { [name: string]: JsonValue }
  const command = textOf(known.command) ?? (kind === 'execute' && input === null ? title : null)
  return {
    ...(input === null ? { title } : known),
    ...(command !== null && { command }),
    ...(kind !== 'execute' && paths.length > 0 && { paths }),
    ...(kind !== 'execute' && paths.length === 1 && paths[0] !== undefined && { path: paths[0] }),
  }
}

function finishedCall(call: AcpCall, update: Fields, ok: boolean): RunEventBody {
  const raw = fieldsOf(update.rawOutput)
  const exit = raw.exitCode ?? raw.exit_code ?? fieldsOf(raw.metadata).exit
  const output =
    listOf(update.content).map(contentText).filter(Boolean).join('\n') ||
    (textOf(update.rawOutput) ?? textOf(raw.output) ?? textOf(raw.error) ?? '')
  const exitCode = Number.isInteger(exit) ? Number(exit) : null
  return { type: 'tool_finished', id: call.id, ok, output, exitCode }
}

function contentText(value: unknown): string {
  const content = fieldsOf(value)
  if (content.type === 'diff') return `Changed ${textOf(content.path) ?? 'a file'}.`
  return textOf(fieldsOf(content.content).text) ?? `[${textOf(content.type) ?? 'unknown'}]`
}

/** The sum of the whole session: before the prompt is sent it is that of earlier runs. */
function readUsage({ cost }: Fields, state: AcpState): RunEventBody[] {
  const { amount, currency } = fieldsOf(cost)
  if (typeof amount !== 'number' || currency !== 'USD') return []
  if (state.phase === 'prompt') state.cost = countOf(amount)
  else state.costBefore = countOf(amount)
  return []
}
