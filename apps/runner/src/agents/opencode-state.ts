import type { Usage } from '@baton/protocol'
import { LINES_START, type LinesState } from './json-lines-reader.ts'
import type { Refused } from './opencode-log.ts'

/** What a run of opencode has shown so far. */
export type OpencodeState = LinesState & {
  sessionId: string | null
  consumed: boolean
  /** How many requests to the model it made, and whether one is being made. */
  steps: number
  inStep: boolean
  /** Why its last step ended, as `stop` or `tool-calls`. */
  reason: string | null
  /** How often it began the same step again. */
  retries: number
  refused: Refused | null
  deniedTools: string[]
  /** It asked for a permission that nobody gave, which ends a run. */
  stoppedAsking: boolean
  toolsDone: number
  /** What it said since its last tool call: in the end, its answer. */
  answer: string
  error: { name: string; status: number | null; text: string } | null
  quotaUntil: number | null
  usage: Usage | null
}

export const OPENCODE_START: OpencodeState = {
  ...LINES_START,
  sessionId: null,
  consumed: false,
  steps: 0,
  inStep: false,
  reason: null,
  retries: 0,
  refused: null,
  deniedTools: [],
  stoppedAsking: false,
  toolsDone: 0,
  answer: '',
  error: null,
  quotaUntil: null,
  usage: null,
}
