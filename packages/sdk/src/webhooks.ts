import { randomUUID } from 'node:crypto'
import { type Scheme, signRequest, type Verification, verifySignature } from '@baton/webhooks'

type HeaderValues = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

export const webhooks = {
  /**
   * Says whether a request was signed with `secret`. Give the body's bytes as they came, before any parsing. The scheme
   * is seen in the headers unless it is named. Never throws on what a sender can choose.
   */
  verify(
    rawBody: Buffer | string,
    headers: HeaderValues,
    secret: string | readonly string[],
    { scheme, nowMs = Date.now() }: { scheme?: Scheme; nowMs?: number } = {},
  ): Verification {
    const distinct = toDistinct(headers)
    return verifySignature({
      scheme: scheme ?? schemeOf(distinct),
      secrets: typeof secret === 'string' ? [secret] : secret,
      headers: distinct,
      rawBody: typeof rawBody === 'string' ? Buffer.from(rawBody) : rawBody,
      nowMs,
    })
  },

  /** The headers with which a receiver that has `secret` accepts exactly this body. */
  sign(
    body: Buffer | string,
    secret: string,
    scheme: Scheme,
    { id = `msg_${randomUUID()}`, nowMs = Date.now() }: { id?: string; nowMs?: number } = {},
  ): Record<string, string> {
    return signRequest({ scheme, secret, id, timestampMs: nowMs, body })
  },
}

function schemeOf(headers: Record<string, string[]>): Scheme {
  if ('x-hub-signature-256' in headers) return 'github'
  if ('x-slack-signature' in headers) return 'slack'
  if ('stripe-signature' in headers) return 'stripe'
  if ('x-lark-signature' in headers) return 'lark'
  return 'webhook-signature' in headers ? 'standard' : 'baton'
}

function toDistinct(headers: HeaderValues): Record<string, string[]> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers)
  const distinct: Record<string, string[]> = {}
  for (const [name, value] of entries) {
    if (value === undefined) continue
    const values = typeof value === 'string' ? [value] : [...value]
    distinct[name.toLowerCase()] = [...(distinct[name.toLowerCase()] ?? []), ...values]
  }
  return distinct
}
