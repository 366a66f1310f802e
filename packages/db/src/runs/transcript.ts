import type { MachineId, OrganizationId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type Watermark = {
  organizationId: OrganizationId
  machineId: MachineId
  fence: number
  lastSeq: number
  lastHash: string
}

/** How far a run's transcript is stored, or null for an unknown run. */
export async function findWatermark(db: Db, runId: RunId): Promise<Watermark | null> {
  const row = await db
    .selectFrom('runs')
    .select(['organization_id', 'machine_id', 'fence', 'last_seq', 'last_hash'])
    .where('id', '=', runId)
    .executeTakeFirst()
  if (!row) return null
  return {
    organizationId: row.organization_id,
    machineId: row.machine_id,
    fence: row.fence,
    lastSeq: row.last_seq,
    lastHash: row.last_hash,
  }
}

/** Stored events after `afterSeq`, oldest first: at most `limit` of them and about `maxBytes` of text (at least one). */
export async function listRunEvents(
  db: Db,
  runId: RunId,
  options: { afterSeq: number; limit: number; maxBytes: number },
): Promise<{ seq: number; text: string }[]> {
  const { rows } = await sql<{ seq: number; text: string }>`
    select seq, body as text from (
      select seq, body, sum(octet_length(body)) over (order by seq) - octet_length(body) as before from (
        select seq, body from run_events where run_id = ${runId} and seq > ${options.afterSeq}::bigint
        order by seq limit ${options.limit}::int
      ) page
    ) sized
    where before < ${options.maxBytes}::bigint order by seq`.execute(db)
  return rows
}
