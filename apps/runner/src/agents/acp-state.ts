import type { RunEventBody } from '@baton/protocol'
import { LINES_START, type LinesState } from './json-lines-reader.ts'
import type { Refused } from './opencode-log.ts'
import type { JsonValue } from './runtime.ts'

/**
 * How far the talk with an agent got. `initialize`, `session`, `model` and `prompt` each wait for the answer to the
 * request of that name. `replay` waits for a quiet moment: some agents tell the earlier part of a loaded session only
 * after they answered. `done` has the answer to the prompt, or an error instead of any answer.
 */
export type AcpPhase = 'initialize' | 'session' | 'model' | 'replay' | 'prompt' | 'done'

/** The numbers of Baton's own requests. */
export const REQUEST_IDS: Record<Exclude<AcpPhase, 'replay' | 'done'>, number> = {
  initialize: 1,
  session: 2,
  model: 3,
  prompt: 4,
}

/** A tool call that is not finished. It is told of when its input is known, which is later than its first mention. */
export type AcpCall = {
  id: string
  kind: string
  title: string
  input: JsonValue
  paths: string[]
  isTold: boolean
}

/** A question that waits for a person: `id` is the request's own, of whatever type the agent chose. */
export type AcpAsk = {
  ask: string
  id: JsonValue
  allow: string | null
  reject: string | null
  toolCallId: string
  tool: string
  detail: string
}

/** What a run of an Agent Client Protocol agent has shown so far. */
export type AcpState = LinesState & {
  phase: AcpPhase
  cwd: string
  /** What it is to be told; empty once it was. */
  prompt: string
  sessionId: string | null
  model: string | null
  /** What was written last and may not have arrived, because the runner ended. */
  owed: string | null
  /** The session was loaded with all that was said in it. */
  isLoaded: boolean
  consumed: boolean
  /** The message or thought whose pieces are coming. */
  held: { type: 'message' | 'thinking'; id: string; text: string } | null
  /** What it said since its last tool call: in the end, its answer. */
  answer: string
  calls: AcpCall[]
  asks: AcpAsk[]
  deniedTools: string[]
  toolsDone: number
  isInterrupted: boolean
  stopReason: string | null
  error: { phase: AcpPhase; code: number; text: string } | null
  /** Where it is opencode and its log is printed. */
  refused: Refused | null
  quotaUntil: number | null
  tokens: { input: number; output: number; cached: number } | null
  /** Money is told as the session's sum: what it was before the prompt, where that is known, and what it is now. */
  costBefore: number | null
  cost: number | null
}

export const ACP_START: AcpState = {
  ...LINES_START,
  phase: 'initialize',
  cwd: '',
  prompt: '',
  sessionId: null,
  model: null,
  owed: null,
  isLoaded: false,
  consumed: false,
  held: null,
  answer: '',
  calls: [],
  asks: [],
  deniedTools: [],
  toolsDone: 0,
  isInterrupted: false,
  stopReason: null,
  error: null,
  refused: null,
  quotaUntil: null,
  tokens: null,
  costBefore: null,
  cost: null,
}

/** The message or thought whose pieces were held back, as one. */
export function heldAcpText(state: AcpState): RunEventBody[] {
  const { held } = state
  state.held = null
  if (held === null || held.text === '') return []
  return held.type === 'message'
    ? [{ type: 'message', role: 'assistant', text: held.text }]
    : [{ type: 'thinking', text: held.text }]
}
