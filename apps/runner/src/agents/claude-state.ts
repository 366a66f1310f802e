import type { Usage } from '@baton/protocol'
import { type Calls, NO_CALLS } from './claude-usage.ts'
import type { JsonValue } from './runtime.ts'

/** What a run of Claude Code has shown so far. It is plain JSON, so that another runner process can go on from it. */
export type ClaudeState = {
  sessionId: string | null
  model: string | null
  consumed: boolean
  /** Ids of the tool calls that were refused, so that each is told once, and the names of their tools. */
  deniedIds: string[]
  deniedTools: string[]
  /** It wanted to ask a person. */
  asked: boolean
  /** Whether a person is to be asked; else every question is refused at once. */
  mayAsk: boolean
  /** Questions that it waits on, by their numbers, with the exact input that an answer is for. */
  asks: { [ask: string]: { tool: string; toolUseId: string | null; input: { [key: string]: JsonValue } } }
  /** What a person said and it has not taken up. Of a message of an earlier runner nobody is sure that it was written. */
  steers: { id: string; text: string; by: string; sure: boolean }[]
  interrupts: number
  /** Its stdin is being closed: nothing more can be said to it. */
  closing: boolean
  toolsDone: number
  /** The class that the CLI gives to a failed request, as `rate_limit`. */
  apiError: string | null
  quotaResetsAt: number | null
  result: ClaudeResult | null
  usage: Usage | null
  /** What went into the model calls since the last result; each is told several times, under one id. */
  calls: Calls
  lastWords: string
  /** What was asked of the runner last and that the agent may not have got: said again after a restart. */
  owed: { stdin?: string; closeStdin?: boolean } | null
  /** Whether the read position of stdout lies within a line that was passed on raw. */
  midLine: boolean
}

/** The last `result` event: the CLI's own word about its end. */
export type ClaudeResult = {
  isError: boolean
  subtype: string
  reason: string | null
  apiStatus: number | null
  text: string | null
}

const START: ClaudeState = {
  sessionId: null,
  model: null,
  consumed: false,
  deniedIds: [],
  deniedTools: [],
  asked: false,
  mayAsk: false,
  asks: {},
  steers: [],
  interrupts: 0,
  closing: false,
  toolsDone: 0,
  apiError: null,
  quotaResetsAt: null,
  result: null,
  usage: null,
  calls: NO_CALLS,
  lastWords: '',
  owed: null,
  midLine: false,
}

/** The state that an earlier reader gave out, also one of another version: a field it lacks is as at the start. */
export function restoreClaudeState(from: JsonValue | undefined): ClaudeState {
  const state = structuredClone({ ...START, ...(from as Partial<ClaudeState> | undefined) })
  for (const steer of state.steers) steer.sure = false
  return state
}
