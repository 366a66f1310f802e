import { idInBody } from '../id-in-body.ts'
import { randomTextSecret, textSecretProblem } from '../text-secret.ts'
import { timedSignature, verifyTimedSignature } from '../timed-signature.ts'
import type { SignatureScheme } from '../verification.ts'

const signatureHeader = 'stripe-signature'

/**
 * Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>` over `<t>.<body>`, where the secret is used whole, prefix and
 * all. The id is the event's own, from the signed body: it stays the same when Stripe tries again, while `t` and
 * `pending_webhooks` in the body change. Source: Stripe documentation, "Verify webhook signatures manually".
 */
export const stripe: SignatureScheme = {
  verify(request) {
    const signed = verifyTimedSignature(request, signatureHeader)
    if (!signed.ok) return signed
    const deliveryId = idInBody(request.rawBody, 'id') ?? signed.signature
    return { ok: true, deliveryId, timestampMs: signed.timestampMs, signedId: true }
  },

  sign({ secret, timestampMs, body }) {
    return { [signatureHeader]: timedSignature(secret, timestampMs, body) }
  },

  generateSecret: () => randomTextSecret('whsec_'),
  secretProblem: textSecretProblem,
}
