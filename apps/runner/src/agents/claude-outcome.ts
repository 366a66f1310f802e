import type { ClaudeResult, ClaudeState } from './claude-state.ts'
import {
  couldNotRun,
  endedBySignal,
  failed,
  STOPPED,
  succeeded,
  type Verdict,
  withLastWords,
} from './run-ends.ts'
import type { Exit, RunFacts } from './runtime.ts'

/**
 * What a run came to. The agent's last `result` event and its exit code must both say that it went well; then refusals
 * and changed files decide how well. An exit code of 0 alone says nothing: an interrupted run has it too.
 *
 * `expectsChanges`: a run that may edit files and changed none is told apart from one that is done.
 */
export function claudeVerdict(
  state: ClaudeState,
  exit: Exit,
  facts: RunFacts,
  expectsChanges: boolean,
): Verdict {
  const wellEnded = state.result !== null && !state.result.isError && exit.exitCode === 0
  if (facts.stopReason !== null) {
    // It was done before the stop reached it; only a newer attempt makes a finished run void.
    const late =
      wellEnded &&
      (['cancelled', 'budget'].includes(facts.stopReason) || facts.stopReason.startsWith('timeout'))
    if (!late) return STOPPED[facts.stopReason]
  }
  const early = couldNotRun(exit)
  if (early !== null) return early
  if (state.result === null) return withoutResult(state, exit)
  if (state.result.isError) return errorVerdict(state, state.result)
  const signalled = endedBySignal(exit, state.lastWords)
  if (signalled !== null) return signalled
  if (exit.exitCode !== 0) {
    const what = `The agent said that it was done and then exited with code ${exit.exitCode}`
    return failed('crashed', withLastWords(what, state.lastWords))
  }
  return successVerdict(state, facts.changedFiles, expectsChanges)
}

function withoutResult(state: ClaudeState, exit: Exit): Verdict {
  const signalled = endedBySignal(exit, state.lastWords)
  if (signalled !== null) return signalled
  if (SIGNED_OUT.test(state.lastWords)) return failed('not_signed_in', state.lastWords)
  const what = `The agent exited with code ${exit.exitCode} and did not say that it was finished`
  return failed('crashed', withLastWords(what, state.lastWords))
}

const INTERRUPTED: Verdict = {
  state: 'cancelled',
  outcome: 'error',
  errorKind: null,
  message: 'A person interrupted what it was doing.',
}

const NO_SESSION = /no conversation found/i
const SIGNED_OUT =
  /not logged in|please run \/login|invalid api key|failed to authenticate|oauth token (has )?(expired|revoked)/i
const USED_UP = /usage limit|limit reached|hit your limit|credit balance is too low|quota/i

function errorVerdict(state: ClaudeState, result: ClaudeResult): Verdict {
  const text = (result.text ?? state.lastWords).slice(0, 2_000)
  if (result.reason === 'api_error' || result.apiStatus !== null) return apiVerdict(state, result, text)
  if (NO_SESSION.test(text)) return failed('session_lost', text)
  if (result.subtype === 'error_max_budget_usd')
    return failed('budget', 'It used up its budget, so it ended itself.')
  if (result.reason?.startsWith('aborted') && state.interrupts > 0) return INTERRUPTED
  if (result.reason?.startsWith('aborted'))
    return failed('killed', 'Something outside Baton interrupted the agent.')
  return failed('crashed', withLastWords(`The agent ended with an error (${result.subtype})`, text))
}

function apiVerdict(state: ClaudeState, result: ClaudeResult, text: string): Verdict {
  const isAuth =
    result.apiStatus === 401 || result.apiStatus === 403 || state.apiError === 'authentication_failed'
  if (isAuth || SIGNED_OUT.test(text)) return failed('not_signed_in', text)
  const isUsedUp = result.apiStatus === 429 || ['rate_limit', 'billing_error'].includes(state.apiError ?? '')
  if (isUsedUp || USED_UP.test(text)) {
    const at = state.quotaResetsAt
    return failed(
      'quota',
      at === null
        ? text
        : `${text.replace(/[.\s]*$/, '')}. It is free again at ${new Date(at * 1_000).toISOString()}.`,
    )
  }
  return failed('api_error', text)
}

function successVerdict(state: ClaudeState, changedFiles: number | null, expectsChanges: boolean): Verdict {
  if (state.asked) return succeeded('needs_input', 'It has a question that only a person can answer.')
  const tools = state.deniedTools.join(', ')
  if (state.deniedTools.length > 0) {
    if (isBlocked(state, changedFiles, expectsChanges)) {
      const message = `It was refused ${tools} and did not get its work done.`
      return { state: 'failed', outcome: 'blocked_by_permission', errorKind: 'permission_denied', message }
    }
    return succeeded('done_with_warnings', `It was refused ${tools}, and did other work.`)
  }
  if (expectsChanges && changedFiles === 0) return succeeded('changed_nothing')
  return succeeded()
}

/** A refused run that was to change files is judged by them; another by whether any tool call went through. */
function isBlocked(state: ClaudeState, changedFiles: number | null, expectsChanges: boolean): boolean {
  if (expectsChanges && changedFiles !== null) return changedFiles === 0
  return state.toolsDone === 0
}
