import type { RunEventBody } from '@baton/protocol'
import { cancelNotice, methodNotFound, promptRequest, rpcLine, sessionRequest } from './acp-messages.ts'
import { type AcpPermissions, readPermissionRequest } from './acp-permission.ts'
import { type AcpPhase, type AcpState, heldAcpText, REQUEST_IDS } from './acp-state.ts'
import { readAcpUpdate } from './acp-updates.ts'
import { countOf, type Fields, fieldsOf, jsonText, listOf, textOf } from './json-fields.ts'
import { findQuotaReset } from './quota-reset.ts'
import type { JsonValue, ReadSteps } from './runtime.ts'
import { clipText } from './split-text.ts'

const TEXT_BYTES = 4 * 1024

export type AcpRun = AcpPermissions & {
  model: string | null
  /** The session to go on with. */
  sessionId: string | null
}

/** What one message of the agent means, and what is to be written to it; null for JSON that is no message. */
export function readAcpMessage(
  message: Fields,
  state: AcpState,
  run: AcpRun,
  atMs: number,
): ReadSteps | null {
  const method = textOf(message.method)
  const id = (message.id ?? null) as JsonValue
  if (method === null) {
    return message.result === undefined && message.error === undefined
      ? null
      : readResponse(message, state, run, atMs)
  }
  // Whatever it does after a permission shows that the answer arrived; not so with the prompt, which others precede.
  if (state.phase === 'prompt' && state.consumed) state.owed = null
  if (method === 'session/request_permission')
    return readPermissionRequest(id, fieldsOf(message.params), state, run)
  if (id !== null) return { events: [], stdin: methodNotFound(id, method) }
  if (method !== 'session/update') return { events: [] }
  return { events: readAcpUpdate(fieldsOf(fieldsOf(message.params).update), state) }
}

/** An answer to one of Baton's requests. Answers that nobody waits for (given twice after a restart) mean nothing. */
function readResponse(message: Fields, state: AcpState, run: AcpRun, atMs: number): ReadSteps {
  const { phase } = state
  if (phase === 'done' || phase === 'replay' || message.id !== REQUEST_IDS[phase]) return { events: [] }
  if (message.error !== undefined) return noteError(fieldsOf(message.error), state, phase, atMs)
  const result = fieldsOf(message.result)
  switch (phase) {
    case 'initialize':
      return enter(state, 'session', openSession(result, state, run.sessionId))
    case 'session':
      return readSession(result, state, run)
    case 'model':
      return prompt(state)
    case 'prompt':
      return readPromptEnd(result, state)
  }
}

function enter(state: AcpState, phase: AcpPhase, stdin: string): ReadSteps {
  state.phase = phase
  state.owed = stdin
  return { events: [], stdin }
}

/** `session/resume` where the agent has it: `session/load` tells the whole conversation again. */
function openSession(result: Fields, state: AcpState, sessionId: string | null): string {
  if (sessionId === null) return sessionRequest('session/new', state.cwd, null)
  const can = fieldsOf(fieldsOf(result.agentCapabilities).sessionCapabilities).resume
  state.isLoaded = !can
  return sessionRequest(can ? 'session/resume' : 'session/load', state.cwd, sessionId)
}

/** Prompts the agent: of a loaded session not before it has fallen silent. */
function prompt(state: AcpState): ReadSteps {
  if (!state.isLoaded) return enter(state, 'prompt', promptRequest(state))
  Object.assign(state, { phase: 'replay', owed: null })
  return { events: [] }
}

/** Nothing came for a moment. */
export function quietAcp(state: AcpState): ReadSteps {
  if (state.phase === 'replay') {
    // With an event, so that a later runner knows that the prompt is on its way.
    const events: RunEventBody[] = [{ type: 'status', text: 'The agent has loaded its conversation.' }]
    return { ...enter(state, 'prompt', promptRequest(state)), events }
  }
  if (state.phase !== 'prompt' || state.consumed || state.owed === null) return { events: [] }
  // Written by now: kept with an event, so that no later runner prompts it a second time.
  state.owed = null
  return { events: [{ type: 'status', text: 'The agent has the prompt.' }] }
}

function readSession(result: Fields, state: AcpState, run: AcpRun): ReadSteps {
  state.sessionId = textOf(result.sessionId) ?? run.sessionId
  const option = listOf(result.configOptions)
    .map(fieldsOf)
    .find((one) => one.category === 'model')
  const models = fieldsOf(result.models)
  state.model = run.model ?? textOf(option?.currentValue) ?? textOf(models.currentModelId)
  const events: ReadSteps['events'] = []
  if (state.sessionId !== null)
    events.push({ type: 'session', sessionId: state.sessionId, model: state.model })
  const chosen = run.model === null ? null : modelRequest(run.model, option, models, state.sessionId)
  if (chosen !== null) return { ...enter(state, 'model', chosen), events }
  if (run.model !== null) events.push({ type: 'warning', text: 'This agent lets nobody choose its model.' })
  return { ...prompt(state), events }
}

/** Agents of before the configuration options have a method for the model alone. */
function modelRequest(
  model: string,
  option: Fields | undefined,
  models: Fields,
  sessionId: string | null,
): string | null {
  const id = REQUEST_IDS.model
  if (option !== undefined) {
    const params = { sessionId, configId: option.id, value: model }
    return rpcLine({ id, method: 'session/set_config_option', params })
  }
  if (models.availableModels === undefined) return null
  return rpcLine({ id, method: 'session/set_model', params: { sessionId, modelId: model } })
}

/** The end of the turn. Nobody will prompt again, so stdin is closed; an agent that stays is ended. */
function readPromptEnd(result: Fields, state: AcpState): ReadSteps {
  state.stopReason = textOf(result.stopReason) ?? 'end_turn'
  state.tokens = tokensOf(result)
  return finish(state)
}

function finish(state: AcpState): ReadSteps {
  const events = [...heldAcpText(state), ...endCalls(state)]
  const withdrawn = state.asks.map((one) => one.ask)
  Object.assign(state, { phase: 'done', owed: null, asks: [] })
  return { events, closeStdin: true, ended: true, ...(withdrawn.length > 0 && { withdrawn }) }
}

/** An agent may leave out the end of a call, above all of one that was refused. */
function endCalls(state: AcpState): RunEventBody[] {
  const open = state.calls.filter((call) => call.isTold)
  state.calls = []
  return open.map(({ id }) => {
    return {
      type: 'tool_finished',
      id,
      ok: false,
      output: 'The agent said nothing about its end.',
      exitCode: null,
    }
  })
}

function noteError(error: Fields, state: AcpState, phase: AcpPhase, atMs: number): ReadSteps {
  const details = textOf(fieldsOf(error.data).details)
  const said = textOf(error.message) ?? jsonText(error)
  const text = clipText(details === null ? said : `${said}: ${details}`, TEXT_BYTES)
  const code = typeof error.code === 'number' ? error.code : 0
  state.error = { phase, code, text }
  state.quotaUntil = findQuotaReset(text, atMs) ?? state.quotaUntil
  return finish(state)
}

/** Gemini CLI counts in a field of its own. */
function tokensOf(result: Fields): AcpState['tokens'] {
  const { usage } = result
  const own = fieldsOf(fieldsOf(fieldsOf(result._meta).quota).token_count)
  if (usage === undefined && own.input_tokens === undefined) return null
  const use = fieldsOf(usage)
  const cached = Math.round(countOf(use.cachedReadTokens))
  return {
    input: Math.round(countOf(use.inputTokens) || countOf(own.input_tokens)) + cached,
    output: Math.round(countOf(use.outputTokens) || countOf(own.output_tokens)),
    cached,
  }
}

/** What has to be said again when another runner takes over, since nobody knows whether it arrived. */
export function repeatAcp(state: AcpState): ReadSteps {
  if (state.phase === 'done') return { events: [], closeStdin: true, ended: true }
  if (state.phase === 'replay') return quietAcp(state)
  const cancel = state.isInterrupted ? cancelNotice(state) : ''
  const stdin = `${state.owed ?? ''}${cancel}`
  return { events: [], ...(stdin !== '' && { stdin }) }
}
