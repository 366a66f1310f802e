import type { JobId, JobRetention, OrganizationId, Retention } from '@baton/protocol'
import type { Db } from '../connection.ts'
import { isOfVersion } from '../row-version.ts'

export type OrganizationRow = {
  id: OrganizationId
  slug: string
  name: string
  keep_runs: number
  keep_days: number
}

export async function getOrganization(db: Db, id: OrganizationId): Promise<OrganizationRow> {
  return db
    .selectFrom('organizations')
    .select(['id', 'slug', 'name', 'keep_runs', 'keep_days'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}

/** False: it is not of this version any more. */
export async function updateOrganization(
  db: Db,
  id: OrganizationId,
  change: {
    name?: string | undefined
    retention?: Partial<Retention> | undefined
    ifVersion?: string | undefined
  },
): Promise<boolean> {
  const { name, retention } = change
  const result = await db
    .updateTable('organizations')
    .set({
      id,
      ...(name !== undefined && { name }),
      ...(retention?.runs !== undefined && { keep_runs: retention.runs }),
      ...(retention?.days !== undefined && { keep_days: retention.days }),
    })
    .where('id', '=', id)
    .where(isOfVersion(change.ifVersion))
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** The job's own numbers (null: the organization's). Null: this organization has no such job. */
export async function findJobRetention(
  db: Db,
  organizationId: OrganizationId,
  id: JobId,
): Promise<JobRetention | null> {
  const row = await db
    .selectFrom('jobs')
    .select(['keep_runs', 'keep_days'])
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst()
  return row ? { runs: row.keep_runs, days: row.keep_days } : null
}
