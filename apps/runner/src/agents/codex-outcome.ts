import type { CodexState } from './codex-state.ts'
import { endedBySignal, failed, STOPPED, type Verdict, withLastWords } from './run-ends.ts'
import type { Exit, RunFacts } from './runtime.ts'
import { earlyVerdict, workVerdict } from './work-verdict.ts'

const NO_SESSION = /no rollout found|thread\/resume failed|no saved session/i
const SIGNED_OUT =
  /401 unauthorized|403 forbidden|not logged in|codex login|log in again|sign in again|missing environment variable|invalid[_ ]api[_ ]key/i
const USED_UP =
  /usage limit|usage_limit|429 too many requests|quota|out of credits|rate limit (reached|exceeded)/i

/**
 * What a run came to. Its last word must be `turn.completed`, and its exit code 0; a sandbox that starts no command lets
 * both happen all the same.
 */
export function codexVerdict(
  state: CodexState,
  exit: Exit,
  facts: RunFacts,
  expectsChanges: boolean,
): Verdict {
  const wellEnded = state.turn === 'completed' && exit.exitCode === 0
  const early = earlyVerdict(exit, facts, wellEnded)
  if (early !== null) return early === STOPPED.timeout_silence ? silent(state, early) : early
  if (wellEnded) return workDone(state, facts.changedFiles, expectsChanges)
  if (state.turn === 'failed') return errorVerdict(state, state.error ?? state.words)
  const signalled = endedBySignal(exit, state.words)
  if (signalled !== null) return signalled
  if (state.threadId === null && NO_SESSION.test(state.words)) return failed('session_lost', state.words)
  if (state.threadId === null && SIGNED_OUT.test(state.words)) return failed('not_signed_in', state.words)
  const what =
    state.turn === 'completed'
      ? `The agent said that it was done and then exited with code ${exit.exitCode}`
      : `The agent exited with code ${exit.exitCode} and did not say that it was finished`
  return failed('crashed', withLastWords(what, state.error ?? state.words))
}

function workDone(state: CodexState, changedFiles: number | null, expectsChanges: boolean): Verdict {
  const { deniedTools, toolsDone, brokenSandbox } = state
  if (brokenSandbox !== null && deniedTools.length > 0 && toolsDone === 0) {
    const message = `Codex's sandbox starts no command on this machine (${brokenSandbox}). Mend it there, or give the agent full permissions in a container.`
    return failed('container', message)
  }
  return workVerdict({ deniedTools, toolsDone, changedFiles, expectsChanges })
}

/** Its errors have no classes, only words, and its log has the HTTP status. */
function errorVerdict({ httpStatus }: CodexState, text: string): Verdict {
  if (httpStatus === 401 || httpStatus === 403 || SIGNED_OUT.test(text)) return failed('not_signed_in', text)
  if (httpStatus === 429 || USED_UP.test(text)) return failed('quota', text)
  return failed('api_error', text)
}

/** A run that was silent because it tried the same again and again says what for. */
function silent(state: CodexState, verdict: Verdict): Verdict {
  if (state.retrying === null) return verdict
  return { ...verdict, message: `${verdict.message} It was trying again because of: ${state.retrying}` }
}
