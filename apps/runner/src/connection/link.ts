import type { BatonError } from '@baton/protocol'
import { isFinalRefusal } from './call-error.ts'
import type { CallInputs, CallName } from './runner-calls.ts'

/**
 * Why a link is of no use any more. `moving`: the relay asks for another one; until that stands, this one still works.
 * `signed_out`: its token ran out or its key was revoked or changed, which signing in again tells at once.
 */
export type LinkEnd =
  | { why: 'moving' }
  | { why: 'lost' | 'signed_out'; detail: string }
  | { why: 'refused'; error: BatonError }

/** One way to one relay under one token: a WebSocket, or HTTP where WebSockets cannot be had. */
export type Link = {
  via: 'websocket' | 'http'
  /** Answered, or rejected with a BatonError within the call's limit. Nothing is repeated here. */
  call<K extends CallName>(name: K, input: CallInputs[K]): Promise<unknown>
  /** Receives what is pushed from now on; `open` says what is free each time it is asked. Replaces an earlier call. */
  listen(open: () => OpenSession, onPush: (push: unknown, id: string | null) => void): void
  ended: Promise<LinkEnd>
  /** Reports it as lost, for a reason that the link itself cannot see. */
  abandon(detail: string): void
  /** Ends it at once. Calls under way are rejected as lost. */
  close(): void
}

export type OpenSession = {
  instanceId: string
  slots: number
  lastEventId: string | null
  watchesVersion: string
}

/**
 * What the failure of a subscription means. `session_conflict` there only says that this session is over, as when the
 * relay stops: the hello of the next link tells whether another runner has the machine.
 */
export function endOf(error: BatonError): LinkEnd {
  const isFinal = isFinalRefusal(error) && error.code !== 'session_conflict'
  return isFinal ? { why: 'refused', error } : { why: 'lost', detail: error.message }
}

/** Remembers the first end that is reported. */
export function createLinkEnd() {
  const { promise, resolve } = Promise.withResolvers<LinkEnd>()
  return { ended: promise, end: resolve }
}
