import { randomBytes } from 'node:crypto'

/** What a new secret must have; half as much again as the 128 bits below which one is never used. */
export const minSecretBytes = 24

/**
 * Shorter keys match nothing, wherever they came from: an empty or cut-off setting must not open an endpoint.
 * It is lower than the bound for new secrets because secrets made elsewhere are not ours to choose.
 */
export const minUsableKeyBytes = 16

/** The secrets whose UTF-8 bytes are used as the key as they stand. */
export function usableTextSecrets(secrets: readonly string[]): string[] {
  return secrets.filter((secret) => Buffer.byteLength(secret) >= minUsableKeyBytes)
}

export function textSecretProblem(secret: string): string | null {
  if (secret !== secret.trim() || /\p{Cc}/u.test(secret)) {
    return 'it begins or ends with white space or holds a control character. Paste it again without the line end.'
  }
  const bytes = Buffer.byteLength(secret)
  return bytes < minSecretBytes ? tooShort(bytes) : null
}

export function tooShort(bytes: number): string {
  return `it has ${bytes} bytes and at least ${minSecretBytes} are needed. Use one that was generated.`
}

/** 32 random bytes in hex after the prefix. */
export function randomTextSecret(prefix: string): string {
  return prefix + randomBytes(32).toString('hex')
}
