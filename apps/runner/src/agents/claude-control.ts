import { QUESTION_TOOL, type RunEventBody } from '@baton/protocol'
import { questionAnswers, summaryOf } from './ask-summary.ts'
import type { ClaudeState } from './claude-state.ts'
import { type Fields, fieldsOf, textOf } from './json-fields.ts'
import type { JsonValue, PermissionAnswer, PermissionAsk, ReadSteps, SteerMessage } from './runtime.ts'
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

/** A question of the CLI. Where nobody is to be asked a tool is refused at once, and the model told why. */
export function readControlRequest(event: Fields, state: ClaudeState): ReadSteps {
  const request = fieldsOf(event.request)
  const ask = textOf(event.request_id) ?? ''
  if (request.subtype !== 'can_use_tool') {
    const error = `Baton does not answer "${textOf(request.subtype)}".`
    return { events: [], stdin: line(controlResponse({ subtype: 'error', request_id: ask, error })) }
  }
  const tool = textOf(request.tool_name) ?? 'unknown'
  const input = fieldsOf(request.input) as { [key: string]: JsonValue }
  state.asks[ask] = { tool, toolUseId: textOf(request.tool_use_id), input }
  if (!state.mayAsk) return answerAsk(ask, { decision: 'deny', message: null }, state)
  return { events: [], asks: [askOf(ask, tool, input)] }
}

/** The CLI waits no longer: its turn was interrupted. */
export function readCancelRequest(event: Fields, state: ClaudeState): ReadSteps {
  const ask = textOf(event.request_id) ?? ''
  if (!Object.hasOwn(state.asks, ask)) return { events: [] }
  delete state.asks[ask]
  return { events: [], withdrawn: [ask] }
}

/** Every question that the CLI waits on, for a reader that takes over. */
export function openAsks(state: ClaudeState): PermissionAsk[] {
  return Object.entries(state.asks).map(([ask, { tool, input }]) => askOf(ask, tool, input))
}

/** A number that nobody waits on is answered with nothing. */
export function answerAsk(ask: string, answer: PermissionAnswer, state: ClaudeState): ReadSteps {
  const open = Object.hasOwn(state.asks, ask) ? state.asks[ask] : undefined
  if (open === undefined) return { events: [] }
  delete state.asks[ask]
  const { tool, toolUseId, input } = open
  const allows = answer.decision === 'allow'
  const response = allows
    ? { behavior: 'allow', updatedInput: { ...input, ...questionAnswers(tool, input, answer.message) } }
    : {
        behavior: 'deny',
        message: answer.message === null ? refusalFor(tool) : refusalOf(tool, answer.message),
      }
  return {
    events: allows ? [] : noteDenial(state, toolUseId, tool, summaryOf(tool, input)),
    stdin: line(controlResponse({ subtype: 'success', request_id: ask, response })),
  }
}

/** A message for the running agent. With no events it came too late: the agent is ending. */
export function steerClaude({ id, text, by }: SteerMessage, state: ClaudeState): ReadSteps {
  if (state.closing) return { events: [] }
  state.steers.push({ id, text, by, sure: true })
  return { events: [{ type: 'steer', id, text, by, state: 'queued' }], stdin: userMessage(text) }
}

/** What the CLI echoes was taken up by it. */
export function noteConsumed(echoed: string, state: ClaudeState): RunEventBody[] {
  const exactly = state.steers.findIndex(({ text }) => text === echoed)
  const at = exactly === -1 ? state.steers.findIndex(({ text }) => echoed.includes(text)) : exactly
  const [steer] = at === -1 ? [] : state.steers.splice(at, 1)
  return steer ? [{ type: 'steer', id: steer.id, text: steer.text, by: steer.by, state: 'consumed' }] : []
}

/** The CLI ends what it does with a result and lives on. */
export function interruptClaude(state: ClaudeState): ReadSteps {
  if (state.closing) return { events: [] }
  state.interrupts += 1
  const request_id = `interrupt-${state.interrupts}`
  return {
    events: [],
    stdin: line({ type: 'control_request', request_id, request: { subtype: 'interrupt' } }),
  }
}

/** Tells of a refused tool call once, although the CLI may tell of it up to three times. */
export function noteDenial(state: ClaudeState, id: unknown, tool: unknown, detail: string): RunEventBody[] {
  const key = textOf(id) ?? ''
  const name = textOf(tool) ?? 'unknown'
  if (key !== '' && state.deniedIds.includes(key)) return []
  if (state.deniedIds.length < MOST_KEPT) state.deniedIds.push(key)
  if (!state.deniedTools.includes(name) && state.deniedTools.length < MOST_KEPT) state.deniedTools.push(name)
  if (name === QUESTION_TOOL) state.asked = true
  return [{ type: 'permission_denied', tool: name, detail: clipText(detail, DETAIL_BYTES) }]
}

function askOf(ask: string, tool: string, input: { [key: string]: JsonValue }): PermissionAsk {
  return { ask, tool, summary: summaryOf(tool, input), input }
}

function refusalFor(tool: string): string {
  if (tool === QUESTION_TOOL) {
    return 'Nobody is there to answer. Choose what is most likely meant and say so, or end with the question.'
  }
  return (
    `The permission mode of this run does not allow this use of ${tool}, and nobody is there to approve it. ` +
    'Do what you can without it, and say at the end what you could not do.'
  )
}

const refusalOf = (tool: string, message: string) =>
  tool === QUESTION_TOOL ? message : `This use of ${tool} was refused: ${message}`

const controlResponse = (response: object) => ({ type: 'control_response', response })

function line(message: object): string {
  return `${JSON.stringify(message)}\n`
}
