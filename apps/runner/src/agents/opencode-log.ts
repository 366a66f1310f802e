import type { OpencodeState } from './opencode-state.ts'
import { findQuotaReset } from './quota-reset.ts'
import type { ReadSteps } from './runtime.ts'
import { clipText } from './split-text.ts'

const DETAIL_BYTES = 4 * 1024
/** opencode waits 2, 4, 8 … s between its tries, and has no end of them: after so many it is about a minute. */
const MOST_TRIES = 5
/** What no waiting of minutes mends. A rate limit is none of it. */
export const USED_UP = /quota|usage limit|insufficient[_ ](?:funds|balance)|credit|billing/i
const TOO_OFTEN = /rate limit|too many requests/i

/**
 * A request to the model that failed, as its log on stderr has it:
 * `… level=ERROR … message="stream error" … small=false … error.error="AI_APICallError: <what the service said>"`.
 * Small models only name conversations.
 */
const REFUSED =
  /^timestamp=\S+ level=ERROR .*message="stream error" .*small=false .*error\.error="((?:[^"\\]|\\.)*)"/gm

/**
 * opencode begins a refused request again without a word on stdout, so its log is what tells of it. An account that is used
 * up ends the run at once, other failures when they do not end.
 */
export function readOpencodeLog(text: string, state: OpencodeState, atMs: number): ReadSteps {
  const steps: ReadSteps = { events: [] }
  for (const [, quoted = ''] of text.matchAll(REFUSED)) {
    const said = clipText(unquote(quoted).replace(/^AI_\w+: /, ''), DETAIL_BYTES)
    const tries = (state.refused?.tries ?? 0) + 1
    state.refused = { tries, text: said, atMs }
    steps.events.push({ type: 'retry', attempt: tries, reason: clipText(said, 200) })
    if (!USED_UP.test(said) && tries < MOST_TRIES) continue
    giveUp(state)
    steps.ended = true
  }
  return steps
}

/** What the service said last is why the run ends, however it does. Nothing where nothing was refused. */
export function giveUp(state: OpencodeState): void {
  if (state.refused === null || state.error !== null) return
  const { text, atMs } = state.refused
  const isQuota = USED_UP.test(text) || TOO_OFTEN.test(text)
  state.error = { name: 'APIError', status: isQuota ? 429 : null, text }
  if (isQuota) state.quotaUntil = findQuotaReset(text, atMs)
}

function unquote(quoted: string): string {
  try {
    return JSON.parse(`"${quoted}"`) as string
  } catch {
    return quoted
  }
}
