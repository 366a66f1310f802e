import { sign as cryptoSign, verify as cryptoVerify, randomBytes } from 'node:crypto'
import { checkTimestamp, unixSeconds } from '../check-timestamp.ts'
import { anyMatches, hmacSha256 } from '../hmac.ts'
import { readHeader } from '../read-header.ts'
import { minSecretBytes, tooShort } from '../text-secret.ts'
import { refuse, type SignatureScheme } from '../verification.ts'
import { decodeBase64, readStandardKey, type StandardKey } from './standard-key.ts'

/** Visible ASCII without the full stop that separates id, time and body in what is signed. */
const ID = /^[\x21-\x2d\x2f-\x7e]{1,256}$/

/** More than a rotation ever needs; bounds the work that one header can cause. */
const maxSignatures = 16

const ENTRY = /^[a-z0-9]{1,8},[A-Za-z0-9+/=_-]*$/

/**
 * Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`, a list of `v1,<base64>`
 * (HMAC-SHA256) and `v1a,<base64>` (Ed25519) over `<id>.<timestamp>.<body>`. Headers named `svix-…` are taken when the
 * others are absent; all three come from one family. Source: the Standard Webhooks specification.
 */
export const standard: SignatureScheme = {
  verify({ secrets, headers, rawBody, nowMs, toleranceMs }) {
    const family =
      headers['webhook-signature'] === undefined && headers['svix-signature'] ? 'svix' : 'webhook'
    const sent = readHeader(headers, `${family}-signature`, {
      reason: 'missing_signature',
      message: 'it carries no webhook-signature header. Sign it as the Standard Webhooks specification says.',
    })
    if (!sent.ok) return sent
    const id = readHeader(headers, `${family}-id`, {
      reason: 'missing_id',
      message: `it carries no ${family}-id header, which is part of what is signed.`,
    })
    if (!id.ok) return id
    if (!ID.test(id.value)) {
      return refuse(
        'malformed_id',
        `its ${family}-id must be 1 to 256 visible ASCII characters without a full stop.`,
      )
    }
    const sentTime = readHeader(headers, `${family}-timestamp`, {
      reason: 'timestamp_malformed',
      message: `it carries no ${family}-timestamp header, which is part of what is signed.`,
    })
    if (!sentTime.ok) return sentTime
    const time = checkTimestamp(sentTime.value, { nowMs, toleranceMs })
    if (!time.ok) return time
    const signatures = readSignatures(sent.value)
    if (signatures === null) {
      return refuse(
        'malformed_signature',
        `its ${family}-signature must hold v1,<base64 of 32 bytes> or v1a,<base64 of 64 bytes>, parted by spaces.`,
      )
    }
    const keys = secrets.map(readStandardKey).filter((key) => key !== null)
    const prefix = `${id.value}.${sentTime.value}.`
    if (
      !sharedMatches(keys, signatures.v1, prefix, rawBody) &&
      !pairMatches(keys, signatures.v1a, prefix, rawBody)
    ) {
      return refuse(
        'wrong_signature',
        `its ${family}-signature does not fit id, timestamp and body. Use the secret of this endpoint and sign the exact ` +
          'bytes that are sent.',
      )
    }
    return { ok: true, deliveryId: id.value, timestampMs: time.timestampMs, signedId: true }
  },

  sign({ secret, id, timestampMs, body }) {
    if (id === null || !ID.test(id))
      throw new RangeError('Standard Webhooks sign an id without a full stop: pass one.')
    const t = unixSeconds(timestampMs)
    const signature = signatureOf(readStandardKey(secret), `${id}.${t}.`, body)
    return { 'webhook-id': id, 'webhook-timestamp': t, 'webhook-signature': signature }
  },

  generateSecret: () => `whsec_${randomBytes(32).toString('base64')}`,

  secretProblem(secret) {
    const bytes = decodeBase64(secret.replace(/^wh(sec|pk|sk)_/, ''))
    if (bytes === null) return 'it is not whsec_, whpk_ or whsk_ followed by base64. Copy it again, whole.'
    if (bytes.length < minSecretBytes) return tooShort(bytes.length)
    return readStandardKey(secret) === null
      ? 'its Ed25519 key is cut off or its halves do not belong together.'
      : null
  },
}

/** The signatures of each known version, or null when there is none. Unknown versions and broken entries are passed over. */
function readSignatures(header: string): { v1: Buffer[]; v1a: Buffer[] } | null {
  const entries = header.split(' ', maxSignatures + 1)
  if (entries.length > maxSignatures || !entries.every((entry) => ENTRY.test(entry))) return null
  const v1 = entries.filter((entry) => /^v1,.{44}$/.test(entry)).map((entry) => decodeBase64(entry.slice(3)))
  const v1a = entries
    .filter((entry) => /^v1a,.{88}$/.test(entry))
    .map((entry) => decodeBase64(entry.slice(4)))
  const found = {
    v1: v1.filter((bytes) => bytes?.length === 32) as Buffer[],
    v1a: v1a.filter((bytes) => bytes?.length === 64) as Buffer[],
  }
  return found.v1.length + found.v1a.length > 0 ? found : null
}

function sharedMatches(keys: StandardKey[], sent: Buffer[], prefix: string, rawBody: Buffer): boolean {
  const expected = keys.flatMap((key) =>
    key.kind === 'shared' ? [hmacSha256(key.key, prefix, rawBody)] : [],
  )
  return anyMatches(sent, expected)
}

function pairMatches(keys: StandardKey[], sent: Buffer[], prefix: string, rawBody: Buffer): boolean {
  const pairs = keys.filter((key) => key.kind === 'pair')
  if (pairs.length === 0 || sent.length === 0) return false
  const signed = Buffer.concat([Buffer.from(prefix), rawBody])
  return pairs.some((pair) => sent.some((signature) => cryptoVerify(null, signed, pair.publicKey, signature)))
}

function signatureOf(key: StandardKey | null, prefix: string, body: Buffer | string): string {
  if (key?.kind === 'shared') return `v1,${hmacSha256(key.key, prefix, body).toString('base64')}`
  if (!key?.privateKey)
    throw new RangeError('Signing needs a secret of the form whsec_<base64> or whsk_<base64>.')
  const signed = Buffer.concat([Buffer.from(prefix), Buffer.from(body)])
  return `v1a,${cryptoSign(null, signed, key.privateKey).toString('base64')}`
}
