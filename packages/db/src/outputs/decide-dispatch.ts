import type { DispatchId, OrganizationId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/**
 * A person sends again what failed, was skipped or waits for its next try: with a full set of tries, under the same key.
 * False: it is not one of these. What was sent stays sent.
 */
export async function sendDispatchAgain(
  db: Db,
  organizationId: OrganizationId,
  id: DispatchId,
): Promise<boolean> {
  const { rows } = await sql`
    update dispatches set state = 'pending', next_at = now(), tries = 0, finished_at = null
    where id = ${id} and organization_id = ${organizationId} and state in ('pending', 'failed', 'dead', 'skipped')
    returning id`.execute(db)
  return rows.length === 1
}

/** A person decides against it. False: it is not waiting, or is being sent this very moment. */
export async function skipDispatch(db: Db, organizationId: OrganizationId, id: DispatchId): Promise<boolean> {
  const { rows } = await sql`
    update dispatches set state = 'skipped', next_at = null, finished_at = now(), last_error = 'A person skipped it.'
    where id = ${id} and organization_id = ${organizationId} and state = 'pending'
    returning id`.execute(db)
  return rows.length === 1
}
