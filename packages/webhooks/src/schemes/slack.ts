import { checkTimestamp, unixSeconds } from '../check-timestamp.ts'
import { anyMatches, hmacSha256, readHexSignature } from '../hmac.ts'
import { idInBody } from '../id-in-body.ts'
import { readHeader } from '../read-header.ts'
import { randomTextSecret, textSecretProblem, usableTextSecrets } from '../text-secret.ts'
import { refuse, type SignatureScheme } from '../verification.ts'

const signatureHeader = 'x-slack-signature'
const timestampHeader = 'x-slack-request-timestamp'

/**
 * Slack: `X-Slack-Signature: v0=<hex>` is an HMAC-SHA256 of `v0:<timestamp>:<body>`. The id is the `event_id` of an
 * Events API body, which stays the same when Slack tries again; for other requests (commands, buttons) it is the
 * signature itself. Source: Slack documentation, "Verifying requests from Slack".
 */
export const slack: SignatureScheme = {
  verify({ secrets, headers, rawBody, nowMs, toleranceMs }) {
    const sent = readHeader(headers, signatureHeader, {
      reason: 'missing_signature',
      message: 'it carries no X-Slack-Signature header. Point only Slack at this endpoint.',
    })
    if (!sent.ok) return sent
    const signature = sent.value.startsWith('v0=') ? readHexSignature(sent.value.slice(3)) : null
    if (signature === null) {
      return refuse(
        'malformed_signature',
        'its X-Slack-Signature header must be v0= and 64 lower-case hex digits.',
      )
    }
    const sentTime = readHeader(headers, timestampHeader, {
      reason: 'timestamp_malformed',
      message: 'it carries no X-Slack-Request-Timestamp header.',
    })
    if (!sentTime.ok) return sentTime
    const time = checkTimestamp(sentTime.value, { nowMs, toleranceMs })
    if (!time.ok) return time
    const base = `v0:${sentTime.value}:`
    const expected = usableTextSecrets(secrets).map((secret) => hmacSha256(secret, base, rawBody))
    if (!anyMatches([signature], expected)) {
      return refuse(
        'wrong_signature',
        'its X-Slack-Signature does not fit the body. Copy the signing secret of the Slack app again.',
      )
    }
    const deliveryId = idInBody(rawBody, 'event_id') ?? sent.value
    return { ok: true, deliveryId, timestampMs: time.timestampMs, signedId: true }
  },

  sign({ secret, timestampMs, body }) {
    const t = unixSeconds(timestampMs)
    const signature = hmacSha256(secret, `v0:${t}:`, body).toString('hex')
    return { [timestampHeader]: t, [signatureHeader]: `v0=${signature}` }
  },

  generateSecret: () => randomTextSecret(''),
  secretProblem: textSecretProblem,
}
