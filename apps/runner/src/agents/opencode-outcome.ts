import { whyRefused } from './opencode-log.ts'
import type { OpencodeState } from './opencode-state.ts'
import { endedBySignal, failed, STOPPED, type Verdict, withLastWords } from './run-ends.ts'
import type { Exit, RunFacts } from './runtime.ts'
import { earlyVerdict, workVerdict } from './work-verdict.ts'

const NO_SESSION = /session not found/i
const USED_UP = /quota|usage limit|rate limit|insufficient[_ ]funds|credit/i
const SIGNED_OUT = /api key|unauthorized|authentication|not logged in/i

/**
 * What a run came to. Its last step must have ended for another reason than a tool call, and its exit code be 0: a run
 * that is stopped by a question nobody answers exits with 0 as well.
 */
export function opencodeVerdict(
  state: OpencodeState,
  exit: Exit,
  facts: RunFacts,
  expectsChanges: boolean,
): Verdict {
  const isComplete = state.error === null && state.reason !== null && state.reason !== 'tool-calls'
  const wellEnded = isComplete && !state.inStep && exit.exitCode === 0
  const early = earlyVerdict(exit, facts, wellEnded)
  if (early === STOPPED.timeout_silence) return silent(state, early)
  if (early !== null) return early
  const { deniedTools, toolsDone } = state
  if (wellEnded)
    return workVerdict({ deniedTools, toolsDone, changedFiles: facts.changedFiles, expectsChanges })
  if (state.error !== null) return errorVerdict(state.error)
  const signalled = endedBySignal(exit, state.lastWords)
  if (signalled !== null) return signalled
  if (state.stoppedAsking && exit.exitCode === 0) return stoppedByQuestion(deniedTools)
  if (state.sessionId === null && NO_SESSION.test(state.lastWords)) {
    return failed('session_lost', 'opencode has no such session for this folder.')
  }
  const what = `The agent exited with code ${exit.exitCode} and did not say that it was finished`
  return failed('crashed', withLastWords(what, state.lastWords))
}

function stoppedByQuestion(deniedTools: readonly string[]): Verdict {
  const message = `It was refused ${deniedTools.join(', ')}, and opencode ends a run there.`
  return { state: 'failed', outcome: 'blocked_by_permission', errorKind: 'permission_denied', message }
}

function errorVerdict({ name, status, text }: NonNullable<OpencodeState['error']>): Verdict {
  if (status === 401 || status === 403 || name === 'ProviderAuthError') return failed('not_signed_in', text)
  if (status === 429 || status === 402 || (status !== null && USED_UP.test(text)))
    return failed('quota', text)
  if (status === null && SIGNED_OUT.test(text)) return failed('not_signed_in', text)
  if (name === 'APIError' || status !== null) return failed('api_error', text)
  return failed('crashed', text)
}

/** What the service said last is why the run ends, however it does. Nothing where nothing was refused. */
export function giveUp(state: OpencodeState): void {
  if (state.refused === null || state.error !== null) return
  const { isQuota, text, quotaUntil } = whyRefused(state.refused)
  state.error = { name: 'APIError', status: isQuota ? 429 : null, text }
  state.quotaUntil = quotaUntil
}

/** It waits for long before it asks a service again that told it to: what that said is why nothing came. */
function silent(state: OpencodeState, verdict: Verdict): Verdict {
  giveUp(state)
  return state.error === null ? verdict : errorVerdict(state.error)
}
