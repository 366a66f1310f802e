import type { MachineId, OrganizationId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { isOfVersion } from '../row-version.ts'

/** The machine that a key belongs to; `revoked` when it no longer may connect; null for an unknown key. */
export async function findMachineByKey(
  db: Db,
  keyHash: string,
): Promise<{ id: MachineId; name: string; organizationId: OrganizationId; revoked: boolean } | null> {
  const row = await db
    .selectFrom('machines')
    .select(['id', 'name', 'organization_id', 'revoked_at', 'archived_at'])
    .where('key_hash', '=', keyHash)
    .executeTakeFirst()
  if (!row) return null
  const revoked = row.revoked_at !== null || row.archived_at !== null
  return { id: row.id, name: row.name, organizationId: row.organization_id, revoked }
}

export async function insertMachine(
  db: Db,
  machine: { id: MachineId; organizationId: OrganizationId; name: string; keyHash: string },
): Promise<void> {
  await db
    .insertInto('machines')
    .values({
      id: machine.id,
      organization_id: machine.organizationId,
      name: machine.name,
      key_hash: machine.keyHash,
    })
    .execute()
}

type MachineChange =
  | { rename: string }
  | { keyHash: string }
  | { drain: boolean }
  | { revoke: true }
  | { archive: true }

/** One change to a machine of this organization; false when it has no such machine. A new key un-revokes. */
export async function updateMachine(
  db: Db,
  organizationId: OrganizationId,
  id: MachineId,
  change: MachineChange,
  ifVersion?: string,
): Promise<boolean> {
  const set =
    'rename' in change
      ? sql`name = ${change.rename}`
      : 'keyHash' in change
        ? sql`key_hash = ${change.keyHash}, revoked_at = null`
        : 'drain' in change
          ? sql`draining_at = ${change.drain ? sql`coalesce(draining_at, now())` : sql`null`}`
          : 'revoke' in change
            ? sql`revoked_at = coalesce(revoked_at, now())`
            : sql`archived_at = coalesce(archived_at, now()), revoked_at = coalesce(revoked_at, now())`
  const { numAffectedRows } = await sql`
    update machines set ${set}
    where id = ${id} and organization_id = ${organizationId} and archived_at is null and ${isOfVersion(ifVersion)}`.execute(
    db,
  )
  return numAffectedRows === 1n
}
