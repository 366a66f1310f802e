import type { Usage } from '@baton/protocol'
import type { AcpState } from './acp-state.ts'
import { apiErrorKind, apiErrorText } from './api-error-kind.ts'
import { whyRefused } from './opencode-log.ts'
import { endedBySignal, failed, STOPPED, succeeded, type Verdict, withLastWords } from './run-ends.ts'
import type { Exit, RunFacts } from './runtime.ts'
import { earlyVerdict, workVerdict } from './work-verdict.ts'

const AUTH_REQUIRED = -32_000
/** The agent said that it is done with the turn; how its process ends then means nothing, since Baton may end it. */
const WELL_ENDED = ['end_turn', 'max_tokens', 'max_turn_requests']

/** What a run came to: by the agent's answer to the prompt. Without one the run failed, whatever the exit code. */
export function acpVerdict(state: AcpState, exit: Exit, facts: RunFacts, expectsChanges: boolean): Verdict {
  const { stopReason } = state
  const early = earlyVerdict(exit, facts, stopReason !== null && WELL_ENDED.includes(stopReason))
  const isWaiting = early === STOPPED.timeout_silence && state.refused !== null
  if (isWaiting) giveUp(state)
  if (early !== null && !isWaiting) return early
  if (state.error !== null) return errorVerdict(state.error)
  if (stopReason === null) return withoutAnswer(state, exit)
  if (stopReason === 'cancelled')
    return state.isInterrupted
      ? STOPPED.cancelled
      : failed('killed', 'Something outside Baton interrupted the agent.')
  if (stopReason === 'refusal') return failed('api_error', 'The model refused to go on with this prompt.')
  const { deniedTools, toolsDone } = state
  const verdict = workVerdict({ deniedTools, toolsDone, changedFiles: facts.changedFiles, expectsChanges })
  if (stopReason === 'end_turn' || verdict.state !== 'succeeded') return verdict
  return succeeded('done_with_warnings', `It stopped at its own limit (${stopReason.replaceAll('_', ' ')}).`)
}

/** What the model service said last is why the run ends, however it does. Nothing where nothing was refused. */
export function giveUp(state: AcpState): void {
  if (state.refused === null || state.error !== null) return
  const { isQuota, text, quotaUntil } = whyRefused(state.refused)
  state.error = { phase: 'prompt', code: isQuota ? 429 : 0, text }
  state.quotaUntil = quotaUntil ?? state.quotaUntil
}

function withoutAnswer({ phase, lastWords }: AcpState, exit: Exit): Verdict {
  const signalled = endedBySignal(exit, lastWords)
  if (signalled !== null) return signalled
  const what =
    phase === 'initialize'
      ? `The agent exited with code ${exit.exitCode} and did not answer; it may not speak the Agent Client Protocol on stdin`
      : `The agent exited with code ${exit.exitCode} and did not say that it was finished`
  return failed('crashed', withLastWords(what, lastWords))
}

function errorVerdict({ phase, code, text }: NonNullable<AcpState['error']>): Verdict {
  const said = apiErrorText(text)
  if (code === AUTH_REQUIRED) return failed('not_signed_in', said)
  const kind = apiErrorKind(code >= 400 && code < 600 ? code : null, text)
  if (phase === 'prompt' || kind !== 'api_error') return failed(kind, said)
  return failed('crashed', `The agent could not begin (${phase}): ${said}`)
}

/** What the run used: tokens as the agent tells them at the end, money as what its session cost more than before. */
export function acpUsage({ tokens, cost, costBefore, model }: AcpState, isFresh: boolean): Usage | null {
  const before = costBefore ?? (isFresh ? 0 : null)
  const costUsd = cost === null || before === null ? null : Math.max(0, cost - before)
  if (tokens === null && costUsd === null) return null
  const { input, output, cached } = tokens ?? { input: 0, output: 0, cached: 0 }
  return { inputTokens: input, outputTokens: output, cachedTokens: cached, costUsd, model }
}
