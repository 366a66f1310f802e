import { createHash } from 'node:crypto'
import { findFirst } from '@baton/db'
import { BatonError, type OrganizationId } from '@baton/protocol'
import type { ApiContext } from '../api/context.ts'
import type { Fired } from './fire-manually.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

/** What a caller asked for, as one value to compare: what it resolves to may be another thing at the next try. */
export const hashOfRequest = (request: object) =>
  createHash('sha256').update(JSON.stringify(request)).digest('hex')

/**
 * What came of the same request under the same idempotency key, whatever has changed since (its job is off, its agent is
 * away); null when there was none. Another request under the key is a conflict.
 */
export async function firedBefore(
  ctx: Caller,
  idempotencyKey: string | undefined,
  request: object,
): Promise<Fired | null> {
  if (idempotencyKey === undefined) return null
  const asked = { dedupScope: manualScope(ctx.principal.organizationId), dedupKey: idempotencyKey }
  const [first] = (await findFirst(ctx.connection.db, [asked])).values()
  if (!first) return null
  assertSame(first.bodyHash, hashOfRequest(request))
  const [delivery] = first.deliveries
  return delivery ? { eventId: first.eventId, deliveryId: delivery.id, runId: delivery.runId } : null
}

export const manualScope = (organizationId: OrganizationId) => `manual:${organizationId}`

/** What was asked before under a key, and what is asked now. */
export function assertSame(before: string, now: string): void {
  if (before === now) return
  throw new BatonError(
    'conflict',
    'This idempotency key was used for another request. Take a new key for a new request.',
  )
}
