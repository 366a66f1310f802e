import { fieldsOf, listOf, parseFields, textOf } from '../json-fields.ts'
import { findQuotaReset } from '../quota-reset.ts'

/** Why a service gave no answer. `status` is null when it could not be reached or broke off. */
export type ChatFailure = {
  status: number | null
  message: string
  /** How long it wants to be left alone. */
  waitMs: number | null
  /** Trying again soon may help. */
  isPassing: boolean
}

/** A failure of this kind that asks for a longer wait than this is a quota that is used up. */
const MOST_WAIT_MS = 60_000

/** What a refused request says: its status, its words, and when to come back. */
export function httpFailure(status: number, headers: Headers, body: string, nowMs: number): ChatFailure {
  const parsed = parseFields(body.replace(/^\[/, '').replace(/\]\s*$/, ''))
  const error = fieldsOf(parsed.error)
  const said = textOf(error.message) ?? textOf(parsed.message) ?? body.slice(0, 500)
  const waitMs = waitOf(headers, nowMs) ?? detailWait(error.details, nowMs) ?? untilReset(said, nowMs)
  const isUsedUp = error.code === 'insufficient_quota' || error.type === 'insufficient_quota'
  const isPassing =
    (status === 429 && !isUsedUp && (waitMs ?? 0) <= MOST_WAIT_MS) || status === 408 || status >= 500
  return { status, message: `HTTP ${status}: ${said}`, waitMs, isPassing }
}

export function brokenFailure(cause: unknown): ChatFailure {
  const { message, cause: inner } = cause as Error
  const why = inner instanceof Error ? `${message} (${inner.message})` : message
  return {
    status: null,
    message: `The model's service could not be reached: ${why}.`,
    waitMs: null,
    isPassing: true,
  }
}

/** `Retry-After` in seconds or as a date; Anthropic's reset of the whole account in seconds since 1970. */
function waitOf(headers: Headers, nowMs: number): number | null {
  const after = headers.get('retry-after')
  if (after !== null && /^\d+(\.\d+)?$/.test(after)) return Number(after) * 1_000
  const date = after === null ? Number.NaN : Date.parse(after)
  if (!Number.isNaN(date)) return Math.max(0, date - nowMs)
  const reset = headers.get('anthropic-ratelimit-unified-reset')
  return reset !== null && /^\d+$/.test(reset) ? Math.max(0, Number(reset) * 1_000 - nowMs) : null
}

/** Google's RetryInfo. */
function detailWait(details: unknown, nowMs: number): number | null {
  const delays = listOf(details).map((one) => textOf(fieldsOf(one).retryDelay))
  const delay = delays.find((one) => one !== null) ?? null
  return delay === null ? null : untilReset(`retry in ${delay}`, nowMs)
}

function untilReset(text: string, nowMs: number): number | null {
  const at = findQuotaReset(text, nowMs)
  return at === null ? null : at - nowMs
}
