import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto'

export type RelayKeys = {
  /** Signs and verifies the short tokens of runners (EdDSA). */
  tokenPrivate: KeyObject
  tokenPublic: KeyObject
  /** Seals secrets that are stored (AES-256-GCM). */
  seal: Buffer
}

/** DER of an Ed25519 private key (RFC 8410) up to its 32 bytes of seed. */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Every key of the relay comes from BATON_SECRET, so that any number of relays agree without sharing a file. */
export function deriveKeys(secret: string): RelayKeys {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'baton', purpose, 32))
  const tokenPrivate = createPrivateKey({
    key: Buffer.concat([ED25519_PREFIX, derive('runner-token')]),
    format: 'der',
    type: 'pkcs8',
  })
  return { tokenPrivate, tokenPublic: createPublicKey(tokenPrivate), seal: derive('stored-secrets') }
}
