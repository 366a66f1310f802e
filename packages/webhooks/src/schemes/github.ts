import { anyMatches, hmacSha256, readHexSignature } from '../hmac.ts'
import { readHeader, readOptionalId } from '../read-header.ts'
import { randomTextSecret, textSecretProblem, usableTextSecrets } from '../text-secret.ts'
import { refuse, type SignatureScheme } from '../verification.ts'

const signatureHeader = 'x-hub-signature-256'
const idHeader = 'x-github-delivery'

/**
 * GitHub: `X-Hub-Signature-256: sha256=<hex>` is an HMAC-SHA256 of the body alone. Neither the delivery id nor the
 * event name is covered, and there is no time, so a captured body stays valid for as long as the secret. The older
 * SHA-1 header is never looked at. Source: GitHub documentation, "Validating webhook deliveries".
 */
export const github: SignatureScheme = {
  verify({ secrets, headers, rawBody }) {
    const sent = readHeader(headers, signatureHeader, {
      reason: 'missing_signature',
      message:
        'it carries no X-Hub-Signature-256 header. Set a secret in the settings of the webhook on GitHub ' +
        '(the SHA-1 header X-Hub-Signature is not accepted).',
    })
    if (!sent.ok) return sent
    const signature = sent.value.startsWith('sha256=') ? readHexSignature(sent.value.slice(7)) : null
    if (signature === null) {
      return refuse(
        'malformed_signature',
        'its X-Hub-Signature-256 header must be sha256= and 64 lower-case hex digits.',
      )
    }
    const expected = usableTextSecrets(secrets).map((secret) => hmacSha256(secret, rawBody))
    if (!anyMatches([signature], expected)) {
      return refuse(
        'wrong_signature',
        'its X-Hub-Signature-256 does not fit the body. Set the same secret on GitHub and here.',
      )
    }
    const delivery = readOptionalId(headers, idHeader)
    if (!delivery.ok) return delivery
    return { ok: true, deliveryId: delivery.id, timestampMs: null, signedId: false }
  },

  sign({ secret, id, body }) {
    const signature = `sha256=${hmacSha256(secret, body).toString('hex')}`
    return { [signatureHeader]: signature, ...(id === null ? {} : { [idHeader]: id }) }
  },

  generateSecret: () => randomTextSecret(''),
  secretProblem: textSecretProblem,
}
