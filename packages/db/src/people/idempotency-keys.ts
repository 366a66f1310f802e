import type { OrganizationId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type IdempotencyClaim = {
  organizationId: OrganizationId
  /** The hash of the token or session that asks: keys of different callers never meet. */
  caller: string
  key: string
  requestHash: string
  /** Unguessable; only who made the claim ends it. */
  claim: string
}

/** `busy`: the first request is still at work. `other`: the key was used for another request. */
export type ClaimedKey =
  | { kind: 'claimed' }
  | { kind: 'answered'; answer: string }
  | { kind: 'busy' }
  | { kind: 'other' }

/**
 * Takes a key for one request, or says what became of the request that has it. A key is free again after 24 hours; one
 * whose request gave no answer within a minute (its relay is gone) may be taken by the same request.
 */
export async function claimIdempotencyKey(db: Db, claim: IdempotencyClaim): Promise<ClaimedKey> {
  const { rows } = await sql`
    insert into idempotency_keys as k (organization_id, caller, key, request_hash, claim)
    values (${claim.organizationId}, ${claim.caller}, ${claim.key}, ${claim.requestHash}, ${claim.claim})
    on conflict (caller, key) do update
      set request_hash = excluded.request_hash, claim = excluded.claim, claimed_at = now(), answer = null
      where k.claimed_at < now() - interval '24 hours'
        or (k.answer is null and k.request_hash = excluded.request_hash
          and k.claimed_at < now() - interval '1 minute')
    returning k.key`.execute(db)
  if (rows.length > 0) return { kind: 'claimed' }
  const before = await db
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'answer'])
    .where('caller', '=', claim.caller)
    .where('key', '=', claim.key)
    .executeTakeFirst()
  // Gone between the two statements: its request was refused a moment ago, and the next try may have the key.
  if (!before) return { kind: 'busy' }
  if (before.request_hash !== claim.requestHash) return { kind: 'other' }
  return before.answer === null ? { kind: 'busy' } : { kind: 'answered', answer: before.answer }
}

/** Keeps the answer for whoever asks again. */
export async function answerIdempotencyKey(
  db: Db,
  { caller, key, claim }: IdempotencyClaim,
  answer: string,
): Promise<void> {
  await sql`update idempotency_keys set answer = ${answer}
    where caller = ${caller} and key = ${key} and claim = ${claim}`.execute(db)
}

/** Nothing came of the request, so its key may be used again at once. */
export async function releaseIdempotencyKey(db: Db, { caller, key, claim }: IdempotencyClaim): Promise<void> {
  await sql`delete from idempotency_keys where caller = ${caller} and key = ${key} and claim = ${claim}`.execute(
    db,
  )
}

/** Deletes some of those that are free again; says how many. */
export async function deleteOldIdempotencyKeys(db: Db, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from idempotency_keys where (caller, key) in (
      select caller, key from idempotency_keys where claimed_at < now() - interval '24 hours'
      limit ${limit}::int for update skip locked)`.execute(db)
  return Number(numAffectedRows ?? 0)
}
