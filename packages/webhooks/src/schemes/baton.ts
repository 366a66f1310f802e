import { readOptionalId } from '../read-header.ts'
import { randomTextSecret, textSecretProblem } from '../text-secret.ts'
import { timedSignature, verifyTimedSignature } from '../timed-signature.ts'
import type { SignatureScheme } from '../verification.ts'

const signatureHeader = 'x-baton-signature'
export const batonIdHeader = 'x-baton-delivery'

/**
 * Our own scheme, for senders that are a shell script: `X-Baton-Signature: t=<unix seconds>,v1=<hex>`, where `v1` is
 * the HMAC-SHA256 of `<t>.<raw body>`. With `BATON_HOOK_URL` and `BATON_HOOK_SECRET` set, this line sends one:
 *
 * ```sh
 * BODY='{"ref":"main"}'; T=$(date +%s); curl -sS "$BATON_HOOK_URL" -H 'Content-Type: application/json' -H "X-Baton-Signature: t=$T,v1=$(printf '%s' "$T.$BODY" | openssl dgst -sha256 -hmac "$BATON_HOOK_SECRET" -r | cut -d' ' -f1)" --data-binary "$BODY"
 * ```
 *
 * A sender that repeats a request until it is answered adds `X-Baton-Delivery: <its own id>`, the same on every
 * try, and then signs `delivery=<id>`, a line feed and `<t>.<raw body>`, so that nobody can send the request again
 * under another id. Without it the signature is the id: the same request again is the same delivery, the same body
 * signed in another second is a new one.
 */
export const baton: SignatureScheme = {
  verify(request) {
    const delivery = readOptionalId(request.headers, batonIdHeader)
    if (!delivery.ok) return delivery
    const signed = verifyTimedSignature(request, signatureHeader, signedId(delivery.id))
    if (!signed.ok) return signed
    const { timestampMs, signature } = signed
    return { ok: true, deliveryId: delivery.id ?? signature, timestampMs, signedId: true }
  },

  sign({ secret, id, timestampMs, body }) {
    const signature = timedSignature(secret, timestampMs, body, signedId(id))
    return { [signatureHeader]: signature, ...(id === null ? {} : { [batonIdHeader]: id }) }
  },

  generateSecret: () => randomTextSecret('sk_hook_'),
  secretProblem: textSecretProblem,
}

/** An id has no line feed and a time begins with a digit, so no signed text can be read in two ways. */
const signedId = (id: string | null) => (id === null ? '' : `delivery=${id}\n`)
