import type { RunEventBody } from '@baton/protocol'
import type { ClaudeState } from './claude-state.ts'
import { type Fields, fieldsOf, jsonText, textOf } from './json-fields.ts'
import type { ReadSteps } from './runtime.ts'
import { clipText } from './split-text.ts'

const DETAIL_BYTES = 4 * 1024
const MOST_KEPT = 200

/** The first line of the two-way protocol: without it the CLI does not ask on stdout. */
export function initializeRequest(): string {
  return line({ type: 'control_request', request_id: 'initialize', request: { subtype: 'initialize' } })
}

export function userMessage(prompt: string): string {
  const message = { role: 'user', content: prompt }
  return line({ type: 'user', message, parent_tool_use_id: null, session_id: '' })
}

/** A question of the CLI. Nobody is there to approve anything, so a tool is refused, and the model told why. */
export function answerControlRequest(event: Fields, state: ClaudeState): ReadSteps {
  const request = fieldsOf(event.request)
  const requestId = textOf(event.request_id) ?? ''
  if (request.subtype !== 'can_use_tool') {
    const error = `Baton does not answer "${textOf(request.subtype)}".`
    const response = { subtype: 'error', request_id: requestId, error }
    return { events: [], stdin: line({ type: 'control_response', response }) }
  }
  const tool = textOf(request.tool_name) ?? 'unknown'
  const answer = { behavior: 'deny', message: refusalFor(tool) }
  const response = { subtype: 'success', request_id: requestId, response: answer }
  const detail = textOf(request.description) ?? jsonText(request.input ?? {})
  return {
    events: noteDenial(state, request.tool_use_id, tool, detail),
    stdin: line({ type: 'control_response', response }),
  }
}

/** Tells of a refused tool call once, although the CLI may tell of it up to three times. */
export function noteDenial(state: ClaudeState, id: unknown, tool: unknown, detail: string): RunEventBody[] {
  const key = textOf(id) ?? ''
  const name = textOf(tool) ?? 'unknown'
  if (key !== '' && state.deniedIds.includes(key)) return []
  if (state.deniedIds.length < MOST_KEPT) state.deniedIds.push(key)
  if (!state.deniedTools.includes(name) && state.deniedTools.length < MOST_KEPT) state.deniedTools.push(name)
  if (name === ASKING_TOOL) state.asked = true
  return [{ type: 'permission_denied', tool: name, detail: clipText(detail, DETAIL_BYTES) }]
}

export const ASKING_TOOL = 'AskUserQuestion'

function refusalFor(tool: string): string {
  if (tool === ASKING_TOOL) {
    return 'Nobody is there to answer. Choose what is most likely meant and say so, or end with the question.'
  }
  return (
    `The permission mode of this run does not allow this use of ${tool}, and nobody is there to approve it. ` +
    'Do what you can without it, and say at the end what you could not do.'
  )
}

function line(message: object): string {
  return `${JSON.stringify(message)}\n`
}
