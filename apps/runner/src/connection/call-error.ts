import { BatonError, type ErrorCode, isErrorCode } from '@baton/protocol'
import { TRPCClientError } from '@trpc/client'

const FINAL: readonly ErrorCode[] = ['key_unknown', 'key_revoked', 'runner_too_old', 'session_conflict']

/** Whether the relay will say the same however often it is asked, so that only a person can help. */
export function isFinalRefusal(error: unknown): boolean {
  return error instanceof BatonError && FINAL.includes(error.code)
}

/**
 * Whether nobody knows if the call took effect: the caller repeats it with the same key. tRPC itself gives such an error
 * an empty message or "Unknown error" and no data.
 */
export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof BatonError && (error.code === 'unavailable' || error.code === 'timeout')
}

/** Turns what a call was rejected with into one error with a code and a sentence. `doing` completes "While …". */
export function toCallError(error: unknown, doing: string, timedOut: boolean): BatonError {
  if (error instanceof BatonError) return error
  if (error instanceof TRPCClientError && error.data) {
    const { batonCode, httpStatus } = error.data as { batonCode?: unknown; httpStatus?: unknown }
    if (isErrorCode(batonCode)) return new BatonError(batonCode, error.message, { cause: error })
    if (typeof httpStatus === 'number' && httpStatus >= 502) return lost(error, doing)
    return new BatonError('internal', `While ${doing}, the relay failed: ${error.message}`, { cause: error })
  }
  if (timedOut)
    return new BatonError('timeout', `While ${doing}, the relay did not answer in time: outcome unknown`, {
      cause: error,
    })
  return lost(error, doing)
}

function lost(error: unknown, doing: string): BatonError {
  const reason = rootReason(error)
  return new BatonError(
    'unavailable',
    `While ${doing}, the connection to the relay was lost${reason ? ` (${reason})` : ''}: outcome unknown`,
    { cause: error },
  )
}

/** The innermost cause in few words: "ECONNREFUSED" rather than "fetch failed". */
export function rootReason(error: unknown): string {
  let reason = ''
  for (let at = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) {
    const { code, message } = at as { code?: unknown; message?: unknown }
    if (typeof code === 'string' && code !== '') reason = code
    else if (typeof message === 'string' && message !== '' && message !== 'Unknown error') reason = message
  }
  return reason
}
