import { apiErrorKind, apiErrorText } from './api-error-kind.ts'
import type { GeminiState } from './gemini-events.ts'
import { endedBySignal, failed, type Verdict, withLastWords } from './run-ends.ts'
import type { Exit, RunFacts } from './runtime.ts'
import { earlyVerdict, workVerdict } from './work-verdict.ts'

/** What Gemini CLI's own exit codes mean; an HTTP status stands there cut to its last eight bits. */
const EXIT_SIGNED_OUT = 41
const EXIT_BAD_INPUT = 42
const EXIT_TURN_LIMIT = 53
const EXIT_UNTRUSTED = 55

const NO_SESSION = /error resuming session|no previous sessions|invalid session identifier/i

/**
 * What a run came to. Only a `result` with the status success says that it went well, and then only with exit code 0: a
 * killed one exits with 0 as well and says nothing.
 */
export function geminiVerdict(
  state: GeminiState,
  exit: Exit,
  facts: RunFacts,
  expectsChanges: boolean,
): Verdict {
  const { result, lastWords } = state
  const wellEnded = result !== null && !result.isError && exit.exitCode === 0
  const early = earlyVerdict(exit, facts, wellEnded)
  if (early !== null) return early
  if (wellEnded) {
    const { deniedTools, toolsDone } = state
    return workVerdict({ deniedTools, toolsDone, changedFiles: facts.changedFiles, expectsChanges })
  }
  if (result?.isError) return errorVerdict(state, exit)
  const signalled = endedBySignal(exit, lastWords)
  if (signalled !== null) return signalled
  return result === null ? withoutResult(state, exit) : failed('crashed', exitedWith(exit, lastWords))
}

function withoutResult({ lastWords }: GeminiState, exit: Exit): Verdict {
  if (exit.exitCode === EXIT_SIGNED_OUT) {
    return failed('not_signed_in', lastWords || 'Gemini CLI has no login on this machine.')
  }
  if (exit.exitCode === EXIT_BAD_INPUT && NO_SESSION.test(lastWords)) return failed('session_lost', lastWords)
  if (exit.exitCode === EXIT_TURN_LIMIT) {
    return failed('crashed', 'It reached the limit of turns that the settings of Gemini CLI set.')
  }
  if (exit.exitCode === EXIT_UNTRUSTED)
    return failed('policy', 'Gemini CLI does not trust the folder of the run.')
  const what = `The agent exited with code ${exit.exitCode} and did not say that it was finished`
  return failed('crashed', withLastWords(what, lastWords))
}

function errorVerdict(state: GeminiState, exit: Exit): Verdict {
  const text = state.result?.text ?? withLastWords('The agent ended with an error', state.lastWords)
  if (exit.exitCode === EXIT_TURN_LIMIT || /TurnLimit/.test(state.result?.kind ?? '')) {
    return failed('crashed', text)
  }
  const status = httpStatus(exit.exitCode)
  const kind = apiErrorKind(status, text)
  const isService = kind !== 'api_error' || status !== null || /\[API Error/.test(text)
  return failed(isService ? kind : 'crashed', apiErrorText(text))
}

/** 400 comes as 144 and 511 as 255; what is below is none. */
function httpStatus(exitCode: number | null): number | null {
  return exitCode !== null && exitCode >= 144 ? exitCode + 256 : null
}

function exitedWith(exit: Exit, lastWords: string): string {
  return withLastWords(
    `The agent said that it was done and then exited with code ${exit.exitCode}`,
    lastWords,
  )
}
