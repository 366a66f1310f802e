import { BatonError } from '@baton/protocol'
import { NoAnswer } from './github-fetch.ts'

/**
 * What a failed call of GitHub's API means. refused: it will never be done. later: it was not done and may be after
 * `afterMs`. unknown: it may have been done.
 */
export type GithubFailure = {
  kind: 'refused' | 'later' | 'unknown'
  status: number | null
  why: string
  afterMs?: number
}

type RequestFailure = {
  status?: number
  message?: string
  response?: { headers?: Record<string, string | number | undefined>; data?: { message?: unknown } }
  cause?: unknown
}

const LONGEST_WAIT_MS = 3_600_000
export function readFailure(error: unknown, nowMs: number): GithubFailure {
  if (error instanceof BatonError) return { kind: 'refused', status: null, why: error.message }
  const { status, response } = error as RequestFailure
  if (typeof status !== 'number' || !response) return readLost(error)
  const why = `GitHub answered ${status}: ${said(error as RequestFailure)}`
  const afterMs = waitOf(response.headers ?? {}, nowMs)
  const isLimited = status === 429 || (status === 403 && (afterMs !== null || /rate limit/i.test(why)))
  if (isLimited) return { kind: 'later', status, why, afterMs: afterMs ?? 60_000 }
  // A server's own failure can come after the effect.
  if (status >= 500) return { kind: 'unknown', status, why }
  if (status === 401 || status === 408) return { kind: 'later', status, why }
  return { kind: 'refused', status, why }
}

/** Octokit wraps what its fetch throws. */
function readLost(error: unknown): GithubFailure {
  const cause = error instanceof NoAnswer ? error : (error as RequestFailure).cause
  const why = `GitHub gave no answer: ${cause instanceof Error ? cause.message : String(cause ?? error)}`
  if (cause instanceof BatonError) return { kind: 'refused', status: null, why: cause.message }
  const isUnsent = cause instanceof NoAnswer && !cause.wasSent
  return { kind: isUnsent ? 'later' : 'unknown', status: null, why }
}

function said({ response, message }: RequestFailure): string {
  const text = response?.data?.message
  return (typeof text === 'string' ? text : (message ?? 'no message')).slice(0, 300)
}

/** `Retry-After`, or the reset of a limit that is used up. */
function waitOf(headers: Record<string, string | number | undefined>, nowMs: number): number | null {
  const after = Number(headers['retry-after'])
  if (Number.isFinite(after) && headers['retry-after'] !== undefined)
    return Math.min(after * 1000, LONGEST_WAIT_MS)
  if (String(headers['x-ratelimit-remaining']) !== '0') return null
  const resetMs = Number(headers['x-ratelimit-reset']) * 1000 - nowMs
  return Number.isFinite(resetMs) ? Math.min(Math.max(resetMs, 1_000), LONGEST_WAIT_MS) : 60_000
}

export const isMissing = (error: unknown): boolean => (error as { status?: unknown }).status === 404
