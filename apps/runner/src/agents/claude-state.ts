import type { Usage } from '@baton/protocol'
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
  toolsDone: number
  /** The class that the CLI gives to a failed request, as `rate_limit`. */
  apiError: string | null
  quotaResetsAt: number | null
  result: ClaudeResult | null
  usage: Usage | null
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
  toolsDone: 0,
  apiError: null,
  quotaResetsAt: null,
  result: null,
  usage: null,
  lastWords: '',
  owed: null,
  midLine: false,
}

/** The state that an earlier reader gave out, also one of another version: a field it lacks is as at the start. */
export function restoreClaudeState(from: JsonValue | undefined): ClaudeState {
  return structuredClone({ ...START, ...(from as Partial<ClaudeState> | undefined) })
}
