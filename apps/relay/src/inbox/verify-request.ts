import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type EventVerification, SIGNATURE_TOLERANCE_MS } from '@baton/protocol'
import { openBody, type Verification, verifySignature } from '@baton/webhooks'
import type { Problem } from '../http/problem.ts'
import { deduplicationKey } from './deduplication-key.ts'
import type { HookTarget } from './hook-targets.ts'
import { REFUSALS } from './refusals.ts'

export type VerifiedRequest = {
  /** The bytes that are meant, decrypted where the scheme encrypts. */
  body: Buffer
  bodyHash: string
  dedupKey: string
  verification: EventVerification
  /** The sender's id stands beside the body, so another body under it is a mistake and not a later try. */
  idNamesBody: boolean
}

/** Whether a request was sent by who may fire this trigger, and what makes a repeat of it a repeat. */
export function verifyRequest(
  target: HookTarget,
  request: IncomingMessage,
  rawBody: Buffer,
  nowMs: number,
): VerifiedRequest | { problem: Problem } {
  const scheme = target.scheme ?? 'none'
  if (scheme === 'none') return takeUnsigned(target, request, rawBody, nowMs)
  const verified = verifySignature({
    scheme,
    secrets: target.openSecrets,
    headers: request.headersDistinct,
    rawBody,
    nowMs,
    toleranceMs: SIGNATURE_TOLERANCE_MS,
  })
  if (!verified.ok) return { problem: { ...REFUSALS.signature, detail: verified.message } }
  const body = openBody(scheme, target.openSecrets, rawBody)
  const bodyHash = hash('sha256', body)
  return {
    body,
    bodyHash,
    dedupKey:
      scheme === 'bearer' ? unsignedKey(verified, bodyHash, nowMs) : deduplicationKey(verified, bodyHash),
    verification: { scheme, signedId: verified.signedId, signedAt: verified.timestampMs },
    // Slack, Stripe and Lark write the id into the body and may change the rest of it when they try again.
    idNamesBody: scheme === 'standard' || scheme === 'baton',
  }
}

/** Only what runs a fixed command, and says that it takes requests of anybody, is fired without a signature. */
function takeUnsigned(
  target: HookTarget,
  request: IncomingMessage,
  body: Buffer,
  nowMs: number,
): VerifiedRequest | { problem: Problem } {
  if (target.config.acceptUnsigned !== true || target.runtime !== 'command')
    return { problem: REFUSALS.unsigned }
  const id = request.headersDistinct['x-baton-delivery']?.[0] ?? null
  const deliveryId = id !== null && /^[\x21-\x7e]{1,256}$/.test(id) ? id : null
  const bodyHash = hash('sha256', body)
  return {
    body,
    bodyHash,
    dedupKey: unsignedKey({ ok: true, deliveryId, timestampMs: null, signedId: false }, bodyHash, nowMs),
    verification: { scheme: 'none', signedId: false, signedAt: null },
    idNamesBody: false,
  }
}

const SAME_WITHIN_MS = 600_000

/**
 * Who holds a bearer secret, or needs none, can send anything: the hash of the body would protect nobody and would swallow
 * the same alarm of the next day. So the sender's id counts where there is one, else the body within ten minutes.
 */
function unsignedKey(verified: Extract<Verification, { ok: true }>, bodyHash: string, nowMs: number): string {
  return verified.deliveryId === null
    ? `body:${bodyHash}:${Math.floor(nowMs / SAME_WITHIN_MS)}`
    : deduplicationKey({ ...verified, signedId: true }, bodyHash)
}
