import type { OrganizationId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** The unified diff of what a run changed; null when the organization has no such run, or nobody could tell. */
export async function findRunDiff(db: Db, organizationId: OrganizationId, id: RunId): Promise<string | null> {
  const { rows } = await sql<{ diff: string | null }>`
    select diff from runs where id = ${id} and organization_id = ${organizationId}`.execute(db)
  return rows[0]?.diff ?? null
}
