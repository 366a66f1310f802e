import { createHash } from 'node:crypto'
import type { Verification } from '@baton/webhooks'

/**
 * What makes a webhook a repeat of an earlier one. The sender's id, where the signature covers it; else the hash of the
 * body, with the signed time where there is one: a captured GitHub body under a fresh X-GitHub-Delivery is a repeat,
 * because GitHub signs the body alone.
 */
export function deduplicationKey(verified: Extract<Verification, { ok: true }>, bodyHash: string): string {
  if (verified.signedId && verified.deliveryId !== null) return `id:${shortId(verified.deliveryId)}`
  if (verified.timestampMs !== null) return `at:${verified.timestampMs}:${bodyHash}`
  return `body:${bodyHash}`
}

/** Ids are the sender's; a very long one would not fit an index. */
const shortId = (id: string) =>
  id.length <= 200 ? id : `sha256:${createHash('sha256').update(id).digest('hex')}`
