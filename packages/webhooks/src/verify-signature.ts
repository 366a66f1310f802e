import { hmacSha256 } from './hmac.ts'
import { schemes } from './schemes/schemes.ts'
import type { DistinctHeaders, Scheme, Verification } from './verification.ts'

/**
 * Says whether a request was signed with one of the secrets of its endpoint. It never throws on what a sender can
 * choose. `headers` must keep repeated headers apart (`request.headersDistinct`), and `rawBody` must be the bytes as they
 * came, before any parsing. `toleranceMs` counts in both directions; github and bearer carry no time.
 *
 * Every refusal costs at least one HMAC of the body, as {@link dummyVerify} does for an unknown endpoint, so that the
 * time of an answer does not tell known endpoints from unknown ones.
 */
export function verifySignature(request: {
  scheme: Scheme
  secrets: readonly string[]
  headers: DistinctHeaders
  rawBody: Buffer
  nowMs: number
  toleranceMs?: number
}): Verification {
  const { scheme, toleranceMs = 300_000, ...rest } = request
  const verification = schemes[scheme].verify({ ...rest, toleranceMs })
  if (!verification.ok && verification.reason !== 'wrong_signature') dummyVerify(request.rawBody)
  return verification
}

/** What a verified body says: itself, or what is inside where the scheme encrypts it. Never throws. */
export function openBody(scheme: Scheme, secrets: readonly string[], rawBody: Buffer): Buffer {
  return schemes[scheme].openBody?.(secrets, rawBody) ?? rawBody
}

/** Spends the time of one verification on a request whose endpoint does not exist. */
export function dummyVerify(rawBody: Buffer): void {
  hmacSha256('no endpoint has this secret, and nothing is compared with it', rawBody)
}
