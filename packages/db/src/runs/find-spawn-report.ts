import type { OrganizationId, RunId, SpawnReport } from '@baton/protocol'
import type { Db } from '../connection.ts'

export async function findSpawnReport(
  db: Db,
  organizationId: OrganizationId,
  runId: RunId,
): Promise<SpawnReport | null> {
  const row = await db
    .selectFrom('runs')
    .select('spawn')
    .where('id', '=', runId)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst()
  return row?.spawn ?? null
}
