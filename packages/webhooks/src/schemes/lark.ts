import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { checkTimestamp, unixSeconds } from '../check-timestamp.ts'
import { idInBody } from '../id-in-body.ts'
import { parseJsonBody } from '../parse-json-body.ts'
import { readHeader } from '../read-header.ts'
import { randomTextSecret, textSecretProblem, usableTextSecrets } from '../text-secret.ts'
import { refuse, type SignatureScheme } from '../verification.ts'

const signatureHeader = 'x-lark-signature'
const timestampHeader = 'x-lark-request-timestamp'
const nonceHeader = 'x-lark-request-nonce'
const HEX = /^[0-9a-f]{64}$/
const NONCE = /^[\x21-\x7e]{1,128}$/

/**
 * Lark and Feishu, with the app's Encrypt Key as the secret: `X-Lark-Signature` is the SHA-256 of timestamp, nonce, key
 * and body, one after the other. The body is `{"encrypt": "<base64>"}`, AES-256-CBC under the SHA-256 of the key with
 * the first 16 bytes as its initial vector. The id is that of the event inside, which stays the same when Lark tries
 * again. Source: Lark documentation, "Configure Encrypt Key".
 *
 * The question by which Lark checks an address (`url_verification`) comes without a signature in some of its versions:
 * being able to encrypt it proves the key as well, so it is taken when it is encrypted.
 */
export const lark: SignatureScheme = {
  verify({ secrets, headers, rawBody, nowMs, toleranceMs }) {
    const keys = usableTextSecrets(secrets)
    const inside = openBody(keys, rawBody)
    if (headers[signatureHeader] === undefined && inside !== rawBody && isAddressCheck(inside)) {
      return { ok: true, deliveryId: null, timestampMs: null, signedId: false }
    }
    const sent = readHeader(headers, signatureHeader, {
      reason: 'missing_signature',
      message: "it carries no X-Lark-Signature header. Set an Encrypt Key in the app's event settings.",
    })
    if (!sent.ok) return sent
    if (!HEX.test(sent.value))
      return refuse('malformed_signature', 'its X-Lark-Signature header must be 64 lower-case hex digits.')
    const sentTime = readHeader(headers, timestampHeader, {
      reason: 'timestamp_malformed',
      message: 'it carries no X-Lark-Request-Timestamp header.',
    })
    if (!sentTime.ok) return sentTime
    const nonce = readHeader(headers, nonceHeader, {
      reason: 'missing_id',
      message: 'it carries no X-Lark-Request-Nonce header.',
    })
    if (!nonce.ok) return nonce
    if (!NONCE.test(nonce.value)) return refuse('malformed_id', 'its X-Lark-Request-Nonce is too long.')
    const time = checkTimestamp(sentTime.value, { nowMs, toleranceMs })
    if (!time.ok) return time
    const signature = Buffer.from(sent.value, 'hex')
    let matches = false
    for (const key of keys) {
      matches = timingSafeEqual(signature, digest(sentTime.value, nonce.value, key, rawBody)) || matches
    }
    if (!matches) {
      return refuse(
        'wrong_signature',
        'its X-Lark-Signature does not fit the body. Copy the Encrypt Key of the app again.',
      )
    }
    return {
      ok: true,
      deliveryId: eventIdOf(inside) ?? idInBody(inside, 'uuid') ?? sent.value,
      timestampMs: time.timestampMs,
      signedId: true,
    }
  },

  openBody,

  sign({ secret, timestampMs, body }) {
    const t = unixSeconds(timestampMs)
    const nonce = randomBytes(8).toString('hex')
    return {
      [timestampHeader]: t,
      [nonceHeader]: nonce,
      [signatureHeader]: digest(t, nonce, secret, Buffer.from(body)).toString('hex'),
    }
  },

  generateSecret: () => randomTextSecret(''),
  secretProblem: textSecretProblem,
}

/** Encrypts a body as Lark does, for senders of tests and samples. */
export function encryptLarkBody(secret: string, body: Buffer | string): string {
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', keyOf(secret), iv)
  const encrypted = Buffer.concat([iv, cipher.update(body), cipher.final()])
  return JSON.stringify({ encrypt: encrypted.toString('base64') })
}

/** What a body says once it is decrypted; itself, when it is not encrypted or no key fits. */
function openBody(secrets: readonly string[], rawBody: Buffer): Buffer {
  const outer = parseJsonBody(rawBody)
  const encrypted = outer.ok ? Reflect.get(Object(outer.value), 'encrypt') : null
  if (typeof encrypted !== 'string') return rawBody
  const bytes = Buffer.from(encrypted, 'base64')
  for (const secret of secrets) {
    const opened = decrypt(keyOf(secret), bytes)
    if (opened && parseJsonBody(opened).ok) return opened
  }
  return rawBody
}

function decrypt(key: Buffer, bytes: Buffer): Buffer | null {
  if (bytes.length < 32) return null
  try {
    const decipher = createDecipheriv('aes-256-cbc', key, bytes.subarray(0, 16))
    return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()])
  } catch {
    return null
  }
}

function isAddressCheck(body: Buffer): boolean {
  const json = parseJsonBody(body)
  return json.ok && Reflect.get(Object(json.value), 'type') === 'url_verification'
}

function eventIdOf(body: Buffer): string | null {
  const json = parseJsonBody(body)
  const header: unknown = json.ok ? Reflect.get(Object(json.value), 'header') : null
  const id: unknown = Reflect.get(Object(header), 'event_id')
  return typeof id === 'string' && /^[\x21-\x7e]{1,256}$/.test(id) ? id : null
}

const keyOf = (secret: string) => createHash('sha256').update(secret).digest()

const digest = (timestamp: string, nonce: string, key: string, body: Buffer) =>
  createHash('sha256').update(timestamp).update(nonce).update(key).update(body).digest()
