import type { JobId, OrganizationId } from '@baton/protocol'
import { DEDUPLICATION_MS } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** What one rule of retention is about: the events of a job, or those of an organization that belong to no job. */
export type RetentionGroup = {
  organizationId: OrganizationId
  jobId: JobId | null
  keepDays: number
  /** Runs accepted no later than this are beyond the job's count; null: there are not so many. As text: a Date would lose the microseconds. */
  beyondCount: string | null
}

/**
 * The groups that may hold something to delete, in a fixed order after `after`. Costs a few index reads for each job:
 * its oldest event and its N-th newest run.
 */
export async function listRetentionGroups(
  db: Db,
  options: { after: string | null; limit: number },
): Promise<{ groups: RetentionGroup[]; next: string | null }> {
  const { rows } = await sql<{
    position: string
    organization_id: OrganizationId
    job_id: JobId | null
    keep_days: number
    beyond_count: string | null
    has_old: boolean
  }>`
    with page as materialized (
      select id as position, organization_id, id as job_id, keep_runs, keep_days from jobs
      union all select id, id, null, null, null from organizations
      order by position offset 0
    )
    select p.position, p.organization_id, p.job_id, coalesce(p.keep_days, o.keep_days) as keep_days,
      (select r.accepted_at::text from runs r where r.job_id = p.job_id order by r.accepted_at desc
        offset coalesce(p.keep_runs, o.keep_runs) limit 1) as beyond_count,
      -- An import counts its rows at its end; until then nothing of them goes.
      (o.import_digest is null or o.imported_at is not null) and coalesce((
        case when p.job_id is not null
          then (select e.received_at from events e where e.job_id = p.job_id order by e.id limit 1)
          else (select e.received_at from events e where e.organization_id = p.organization_id and e.job_id is null
            order by e.id limit 1) end
      ) < now() - ${DEDUPLICATION_MS}::bigint * interval '1 ms', false) as has_old
    from (select * from page where ${options.after}::text is null or position > ${options.after}
      order by position limit ${options.limit}::int) p
    join organizations o on o.id = p.organization_id
    order by p.position`.execute(db)
  return {
    groups: rows
      .filter((row) => row.has_old)
      .map((row) => ({
        organizationId: row.organization_id,
        jobId: row.job_id,
        keepDays: row.keep_days,
        beyondCount: row.beyond_count,
      })),
    next: rows.length === options.limit ? (rows.at(-1)?.position ?? null) : null,
  }
}
