import { createHash } from 'node:crypto'
import { anyMatches } from '../hmac.ts'
import { readHeader, readOptionalId } from '../read-header.ts'
import { randomTextSecret, textSecretProblem, usableTextSecrets } from '../text-secret.ts'
import { refuse, type SignatureScheme } from '../verification.ts'
import { batonIdHeader } from './baton.ts'

const prefix = 'Bearer '

/**
 * For senders that can set a header and nothing more: `Authorization: Bearer <secret>`. Nothing of the request is
 * signed, so whoever reads one request can send any other; use it over TLS and only where nothing better is possible.
 */
export const bearer: SignatureScheme = {
  verify({ secrets, headers }) {
    const sent = readHeader(headers, 'authorization', {
      reason: 'missing_signature',
      message: 'it carries no Authorization header. Send Authorization: Bearer <secret of this endpoint>.',
    })
    if (!sent.ok) return sent
    const token = sent.value.slice(prefix.length)
    if (!sent.value.startsWith(prefix) || !/^[\x21-\x7e]{1,512}$/.test(token)) {
      return refuse(
        'malformed_signature',
        'its Authorization header must be Bearer, one space and the secret.',
      )
    }
    // Hashing gives both sides one length and hides from a clock how much of the secret was right.
    if (!anyMatches([sha256(token)], usableTextSecrets(secrets).map(sha256))) {
      return refuse(
        'wrong_signature',
        'its bearer secret is not one of this endpoint. Copy the secret again.',
      )
    }
    const delivery = readOptionalId(headers, batonIdHeader)
    if (!delivery.ok) return delivery
    return { ok: true, deliveryId: delivery.id, timestampMs: null, signedId: false }
  },

  sign({ secret, id }) {
    return { authorization: prefix + secret, ...(id === null ? {} : { [batonIdHeader]: id }) }
  },

  generateSecret: () => randomTextSecret('sk_hook_'),

  secretProblem(secret) {
    return /[^\x21-\x7e]/.test(secret)
      ? 'it holds a space or a character outside ASCII, which a header cannot carry.'
      : textSecretProblem(secret)
  },
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
