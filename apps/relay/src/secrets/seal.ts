import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { BatonError } from '@baton/protocol'

const VERSION = 'v1'

/** Encrypts a secret for the database. `context` (for example the trigger's id) must be the same when it is opened. */
export function sealSecret(key: Buffer, context: string, secret: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${VERSION}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`
}

/** Throws `internal` when the text was sealed with another BATON_SECRET, for another context, or was changed. */
export function openSecret(key: Buffer, context: string, text: string): string {
  try {
    const [version, nonce = '', sealed = ''] = text.split('.')
    if (version !== VERSION) throw new Error(`sealed with version ${version}`)
    const bytes = Buffer.from(sealed, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url')).setAAD(
      Buffer.from(context),
    )
    decipher.setAuthTag(bytes.subarray(-16))
    return decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw new BatonError(
      'internal',
      'A stored secret cannot be read. Was BATON_SECRET changed? Set the old one again, or rotate the secret.',
      { cause },
    )
  }
}
