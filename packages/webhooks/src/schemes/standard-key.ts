import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { minUsableKeyBytes } from '../text-secret.ts'

/** A shared key, or one side of a pair. The form of the secret decides, so a public key is never used as a shared one. */
export type StandardKey =
  | { kind: 'shared'; key: Buffer }
  | { kind: 'pair'; publicKey: KeyObject; privateKey: KeyObject | null }

/** RFC 8410: the fixed DER in front of the 32 bytes of an Ed25519 key. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * Reads `whsec_<base64>` (shared; the prefix may be missing), `whpk_<base64>` (public, 32 bytes) or
 * `whsk_<base64>` (private, seed and public key, 64 bytes). Null for anything else, and for shared keys under 16 bytes.
 */
export function readStandardKey(secret: string): StandardKey | null {
  if (secret.startsWith('whpk_')) return readPublic(decodeBase64(secret.slice(5)))
  if (secret.startsWith('whsk_')) return readPrivate(decodeBase64(secret.slice(5)))
  const key = decodeBase64(secret.startsWith('whsec_') ? secret.slice(6) : secret)
  return key !== null && key.length >= minUsableKeyBytes ? { kind: 'shared', key } : null
}

/** The bytes of canonical base64, with or without padding. Node alone would skip what it does not understand. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  const canonical = bytes.toString('base64')
  return text === canonical || text === canonical.replace(/=+$/, '') ? bytes : null
}

function readPublic(bytes: Buffer | null): StandardKey | null {
  return bytes?.length === 32 ? { kind: 'pair', publicKey: publicKeyOf(bytes), privateKey: null } : null
}

function readPrivate(bytes: Buffer | null): StandardKey | null {
  if (bytes?.length !== 64) return null
  const seed = bytes.subarray(0, 32)
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const publicKey = createPublicKey(privateKey)
  return publicKey.equals(publicKeyOf(bytes.subarray(32))) ? { kind: 'pair', publicKey, privateKey } : null
}

function publicKeyOf(bytes: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiPrefix, bytes]), format: 'der', type: 'spki' })
}
