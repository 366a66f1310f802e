import type { PermissionMode } from '@baton/protocol'
import { NO_TOTALS, type ThreadTotals } from './codex-session.ts'
import { LINES_START, type LinesState } from './json-lines-reader.ts'

/** What was asked of a run. */
export type CodexRun = { permissionMode: PermissionMode; model: string | null }

/** What a run of Codex has shown so far. */
export type CodexState = LinesState & {
  threadId: string | null
  consumed: boolean
  /** Tool calls that were told as started and not yet as finished. */
  open: string[]
  deniedTools: string[]
  toolsDone: number
  /** The last thing that it said: in the end, its answer. */
  answer: string | null
  turn: 'completed' | 'failed' | null
  /** Its last error, in its own words. */
  error: string | null
  /** What it is trying again for, while it does nothing else. */
  retrying: string | null
  retries: number
  quotaUntil: number | null
  /** The words of a sandbox that starts no command on this machine. */
  brokenSandbox: string | null
  /** The HTTP status of the last request to the model, when it was an error. */
  httpStatus: number | null
  /** Its last words on stderr, without its log of facts. */
  words: string
  before: ThreadTotals
  /** The mark of the instructions that the thread knows. */
  told: string
  /** What the requests of this run used, while the thread's totals are not known. */
  live: ThreadTotals
  totals: ThreadTotals | null
}

export const CODEX_START: CodexState = {
  ...LINES_START,
  threadId: null,
  consumed: false,
  open: [],
  deniedTools: [],
  toolsDone: 0,
  answer: null,
  turn: null,
  error: null,
  retrying: null,
  retries: 0,
  quotaUntil: null,
  brokenSandbox: null,
  httpStatus: null,
  words: '',
  before: NO_TOTALS,
  told: '0',
  live: NO_TOTALS,
  totals: null,
}
