import { couldNotRun, STOPPED, succeeded, type Verdict } from './run-ends.ts'
import type { Exit, RunFacts } from './runtime.ts'

/**
 * The verdict on a run that Baton ended or that never ran, or null for one that ended by itself. A run that was done
 * before the stop reached it stays done; only a newer attempt makes a finished run void.
 */
export function earlyVerdict(exit: Exit, { stopReason }: RunFacts, wellEnded: boolean): Verdict | null {
  if (stopReason !== null) {
    const late = wellEnded && (stopReason === 'cancelled' || stopReason.startsWith('timeout'))
    if (!late) return STOPPED[stopReason]
  }
  return couldNotRun(exit)
}

export type Work = {
  /** The names of the tools that it was refused. */
  deniedTools: readonly string[]
  /** How many tool calls went through. */
  toolsDone: number
  changedFiles: number | null
  /** A run that may edit files and changed none is told apart from one that is done. */
  expectsChanges: boolean
}

/** How well a run went that itself says that it went well. */
export function workVerdict({ deniedTools, toolsDone, changedFiles, expectsChanges }: Work): Verdict {
  if (deniedTools.length > 0) {
    const tools = deniedTools.join(', ')
    // A refused run that was to change files is judged by them; another by whether any tool call went through.
    const isBlocked = expectsChanges && changedFiles !== null ? changedFiles === 0 : toolsDone === 0
    if (!isBlocked) return succeeded('done_with_warnings', `It was refused ${tools}, and did other work.`)
    const message = `It was refused ${tools} and did not get its work done.`
    return { state: 'failed', outcome: 'blocked_by_permission', errorKind: 'permission_denied', message }
  }
  if (expectsChanges && changedFiles === 0) return succeeded('changed_nothing')
  return succeeded()
}
