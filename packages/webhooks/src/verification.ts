/** How a sender proves that a request is its own. One file per scheme stands in `schemes/`. */
export type Scheme = 'github' | 'standard' | 'slack' | 'stripe' | 'lark' | 'baton' | 'bearer'

/** Headers with every value kept apart, lower-case names, as `request.headersDistinct` of Node gives them. */
export type DistinctHeaders = Readonly<Record<string, readonly string[] | undefined>>

export type RefusalReason =
  | 'missing_signature'
  | 'malformed_signature'
  | 'duplicate_header'
  | 'wrong_signature'
  | 'timestamp_malformed'
  | 'timestamp_out_of_tolerance'
  | 'missing_id'
  | 'malformed_id'

/** Why a request was refused. The message is safe to answer: it repeats nothing that was sent and no secret. */
export interface Refusal {
  ok: false
  reason: RefusalReason
  message: string
}

/**
 * `deliveryId` names the delivery for deduplication; null when the sender gave none. `signedId` says whether a
 * replay would need the secret to change that id. Where it is false, anybody who has seen the request can send
 * it again under a fresh id, so the caller must also deduplicate by the hash of the body.
 */
export interface Verified {
  ok: true
  deliveryId: string | null
  timestampMs: number | null
  signedId: boolean
}

export type Verification = Verified | Refusal

/** What a scheme looks at. One or two secrets are valid at once, so that a secret can be rotated without a gap. */
export interface SignedRequest {
  secrets: readonly string[]
  headers: DistinctHeaders
  rawBody: Buffer
  nowMs: number
  toleranceMs: number
}

export interface UnsignedRequest {
  secret: string
  /** Sent where the scheme has a place for it: github, standard, baton and bearer. */
  id: string | null
  timestampMs: number
  body: Buffer | string
}

/** One way of signing. No function throws on what came from the network. */
export interface SignatureScheme {
  verify(request: SignedRequest): Verification
  /** The bytes that a body means, for schemes that encrypt it. The others have no such function. */
  openBody?(secrets: readonly string[], rawBody: Buffer): Buffer
  /** Headers in lower case. Throws a RangeError when the request cannot be signed in this scheme. */
  sign(request: UnsignedRequest): Record<string, string>
  generateSecret(): string
  /** What is wrong with a secret that somebody wants to use, as the end of a sentence, or null. */
  secretProblem(secret: string): string | null
}

export function refuse(reason: RefusalReason, message: string): Refusal {
  return { ok: false, reason, message: `The webhook was refused: ${message}` }
}
