import { isAbsolute, relative, resolve } from 'node:path'
import { type ApprovalRules, coveredBy, type PermissionMode, type RunEventBody } from '@baton/protocol'
import { cancelNotice, permissionAnswer } from './acp-messages.ts'
import { type AcpAsk, type AcpCall, type AcpState, heldAcpText } from './acp-state.ts'
import { inputOf, noteCall, tellCall } from './acp-updates.ts'
import { type Fields, fieldsOf, jsonText, listOf, textOf } from './json-fields.ts'
import type { JsonValue, PermissionAnswer, ReadSteps } from './runtime.ts'
import { clipText } from './split-text.ts'

const DETAIL_BYTES = 4 * 1024
const MOST_KEPT = 200

export type AcpPermissions = { mode: PermissionMode; approvals: ApprovalRules }

/**
 * The agent asks whether it may do something. What its mode or the allow-list covers is allowed this once; the rest is
 * asked of a person, or denied when nobody is to be asked.
 */
export function readPermissionRequest(
  id: JsonValue,
  params: Fields,
  state: AcpState,
  { mode, approvals }: AcpPermissions,
): ReadSteps {
  const call = noteCall(fieldsOf(params.toolCall), state)
  const events: RunEventBody[] = state.consumed ? [] : [{ type: 'consumed' }]
  state.consumed = true
  events.push(...heldAcpText(state), ...tellCall(call))
  const asked = toAsk(id, params, call)
  if (state.phase !== 'prompt') return { events, stdin: permissionAnswer(id, null) }
  const input = inputOf(call)
  const isCovered = covers(mode, call, state.cwd) || coveredBy(approvals, { tool: call.kind, input }) !== null
  if (asked.allow !== null && isCovered) return answered(state, events, permissionAnswer(id, asked.allow))
  if (approvals.mode === 'ask' && asked.allow !== null) {
    state.asks = [...state.asks, asked].slice(-MOST_KEPT)
    const changes = changesOf(fieldsOf(params.toolCall))
    const summary = [summaryOf(call), ...changes.map(({ newText }) => newText)].join('\n')
    const exact = changes.length > 0 ? { ...input, changes } : input
    return { events, asks: [{ ask: asked.ask, tool: call.kind, summary, input: exact }] }
  }
  return answered(state, [...events, ...noteDenial(state, asked)], permissionAnswer(id, asked.reject))
}

/** What a person decided. An unknown question was answered or withdrawn before. */
export function answerAsk(state: AcpState, ask: string, { decision }: PermissionAnswer): ReadSteps {
  const asked = state.asks.find((one) => one.ask === ask)
  if (asked === undefined) return { events: [] }
  state.asks = state.asks.filter((one) => one !== asked)
  const isAllow = decision === 'allow' && asked.allow !== null
  const option = isAllow ? asked.allow : asked.reject
  return answered(state, isAllow ? [] : noteDenial(state, asked), permissionAnswer(asked.id, option))
}

/** Ends the turn: open questions are answered with "cancelled", as the protocol asks of a client. */
export function interruptAcp(state: AcpState): ReadSteps {
  if (state.phase !== 'prompt') return { events: [] }
  state.isInterrupted = true
  const { asks } = state
  state.asks = []
  const stdin = cancelNotice(state) + asks.map((one) => permissionAnswer(one.id, null)).join('')
  return { events: [], stdin, withdrawn: asks.map((one) => one.ask) }
}

function answered(state: AcpState, events: RunEventBody[], stdin: string): ReadSteps {
  state.owed = stdin
  return { events, stdin }
}

function toAsk(id: JsonValue, params: Fields, call: AcpCall): AcpAsk {
  const options = listOf(params.options).map(fieldsOf)
  const optionOf = (kind: string) => textOf(options.find((one) => one.kind === kind)?.optionId)
  return {
    ask: jsonText(id),
    id,
    allow: optionOf('allow_once'),
    reject: optionOf('reject_once') ?? optionOf('reject_always'),
    toolCallId: call.id,
    tool: call.kind,
    detail: clipText(summaryOf(call), DETAIL_BYTES),
  }
}

/** The command where there is one, else what the agent calls it, with the paths that it is about. */
function summaryOf(call: AcpCall): string {
  const input = inputOf(call)
  const command = textOf(input.command)
  if (command !== null) return command
  const places = call.paths.filter((path) => !call.title.includes(path))
  return [call.title || jsonText(input), ...places].join(' ')
}

/** What is to be written where, as far as the agent shows it. */
function changesOf({ content }: Fields): { path: string; oldText: string; newText: string }[] {
  return listOf(content)
    .map(fieldsOf)
    .filter((one) => one.type === 'diff')
    .map((one) => ({
      path: textOf(one.path) ?? '',
      oldText: textOf(one.oldText) ?? '',
      newText: textOf(one.newText) ?? '',
    }))
}

const READING = ['read', 'search', 'think']
const EDITING = ['edit', 'move', 'delete']

/** Whether the mode lets it do this unasked: only within the workspace, and edits only where it says what it edits. */
function covers(mode: PermissionMode, { kind, paths }: AcpCall, cwd: string): boolean {
  if (mode === 'full') return true
  if (!paths.every((path) => isWithin(cwd, path))) return false
  if (READING.includes(kind)) return true
  return mode === 'edit' && EDITING.includes(kind) && paths.length > 0
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, resolve(folder, path))
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}

function noteDenial(state: AcpState, { tool, detail }: AcpAsk): RunEventBody[] {
  if (!state.deniedTools.includes(tool) && state.deniedTools.length < MOST_KEPT) state.deniedTools.push(tool)
  return [{ type: 'permission_denied', tool, detail }]
}
