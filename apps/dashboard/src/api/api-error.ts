import type { ErrorCode } from '@baton/protocol'
import { TRPCClientError } from '@trpc/client'

type ErrorData = { batonCode?: ErrorCode; httpStatus?: number; requestId?: string }

/** What the relay said about a failed call, or null when it was not the relay that answered. */
export function relayError(error: unknown): ErrorData | null {
  if (!(error instanceof TRPCClientError)) return null
  return (error.data as ErrorData | null | undefined) ?? null
}

export const isSignedOut = (error: unknown) => relayError(error)?.httpStatus === 401
export const isNotFound = (error: unknown) => relayError(error)?.httpStatus === 404

/** One sentence for people. A refusal speaks for itself; a lost connection leaves the outcome unknown and says so. */
export function errorSentence(error: unknown, doing: string): string {
  if (relayError(error) !== null) return (error as Error).message
  const timedOut = error instanceof Error && error.cause instanceof DOMException
  return timedOut
    ? `The relay did not answer in time while ${doing}. Look whether it happened before you try again.`
    : `The relay could not be reached while ${doing}. Look whether it happened before you try again.`
}
