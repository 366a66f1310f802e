import type { RunEventBody } from '@baton/protocol'
import { findQuotaReset } from './quota-reset.ts'
import { clipText } from './split-text.ts'

const DETAIL_BYTES = 4 * 1024
/** opencode waits 2, 4, 8 … s between its tries, and has no end of them: after so many it is about a minute. */
const MOST_TRIES = 5
/** What no waiting of minutes mends. A rate limit is none of it. */
const USED_UP = /quota|usage limit|insufficient[_ ](?:funds|balance)|credit|billing/i
const TOO_OFTEN = /rate limit|too many requests/i

/**
 * A request to the model that failed, as its log on stderr has it:
 * `… level=ERROR … message="stream error" … small=false … error.error="AI_APICallError: <what the service said>"`.
 * Small models only name conversations.
 */
const REFUSED =
  /^timestamp=\S+ level=ERROR .*message="stream error" .*small=false .*error\.error="((?:[^"\\]|\\.)*)"/gm

/** The model service refused, or failed at, the request that is under way: so often, and this last. */
export type Refused = { tries: number; text: string; atMs: number }

/**
 * opencode begins a refused request again without a word on stdout, so its log is what tells of it. `isFinal`: the run is to
 * be ended, for an account that is used up at once, for other failures when they do not end.
 */
export function readOpencodeLog(
  text: string,
  before: Refused | null,
  atMs: number,
): { refused: Refused | null; events: RunEventBody[]; isFinal: boolean } {
  let refused = before
  const events: RunEventBody[] = []
  for (const [, quoted = ''] of text.matchAll(REFUSED)) {
    const said = clipText(unquote(quoted).replace(/^AI_\w+: /, ''), DETAIL_BYTES)
    refused = { tries: (refused?.tries ?? 0) + 1, text: said, atMs }
    events.push({ type: 'retry', attempt: refused.tries, reason: clipText(said, 200) })
  }
  const isFinal =
    refused !== null && events.length > 0 && (USED_UP.test(refused.text) || refused.tries >= MOST_TRIES)
  return { refused, events, isFinal }
}

/** Why a run ends that was refused: `quotaUntil` is when the service said that it is free again. */
export function whyRefused({ text, atMs }: Refused): {
  isQuota: boolean
  text: string
  quotaUntil: number | null
} {
  const isQuota = USED_UP.test(text) || TOO_OFTEN.test(text)
  return { isQuota, text, quotaUntil: isQuota ? findQuotaReset(text, atMs) : null }
}

function unquote(quoted: string): string {
  try {
    return JSON.parse(`"${quoted}"`) as string
  } catch {
    return quoted
  }
}
