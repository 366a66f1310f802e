import { createHash, randomBytes } from 'node:crypto'

/** What is stored of a secret of ours: all have 256 random bits, so a plain hash is enough. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** `<prefix>_` and 256 random bits. */
export const newSecret = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`
