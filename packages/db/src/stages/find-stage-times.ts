import type { JobId, MachineId, OrganizationId, StageName, StageTimes } from '@baton/protocol'
import { STAGES } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type StageFilter = {
  machineId?: MachineId | undefined
  jobId?: JobId | undefined
  sinceMs: number
  limit: number
}

/**
 * How long the steps of the delivery ladder took: percentiles in ms over the newest runs that were accepted within the
 * last `sinceMs`, at most `limit` of them, so that the cost is bounded however much is kept. Waiting counts for first
 * attempts alone: a later one has waited for the one before it too.
 */
export async function findStageTimes(
  db: Db,
  organizationId: OrganizationId,
  filter: StageFilter,
): Promise<{ runs: number; since: Date; stages: StageTimes[] }> {
  // Each way in has an index that ends with the time or the id.
  const order = filter.machineId || filter.jobId ? sql`r.accepted_at desc` : sql`r.id desc`
  const { rows } = await sql<{
    runs: number
    since: Date
    stage: StageName
    count: number
    percentiles: number[] | null
  }>`
    with picked as materialized (
      select r.delivery_id, r.attempt, r.leased_at, r.accepted_at, r.started_at, r.first_output_at, r.consumed_at,
        r.finished_at
      from runs r
      where r.organization_id = ${organizationId}
        and r.accepted_at > now() - ${filter.sinceMs}::bigint * interval '1 ms'
        ${filter.machineId ? sql`and r.machine_id = ${filter.machineId}` : sql``}
        ${filter.jobId ? sql`and r.job_id = ${filter.jobId}` : sql``}
      order by ${order} limit ${filter.limit}::int
    ),
    steps as (
      select s.stage, extract(epoch from s.took) * 1000 as ms
      from picked p join deliveries d on d.id = p.delivery_id, lateral (values
        ('stored_leased', case when p.attempt = 1 then p.leased_at - d.created_at end),
        ('leased_accepted', p.accepted_at - p.leased_at),
        ('accepted_started', p.started_at - p.accepted_at),
        ('started_first_output', p.first_output_at - p.started_at),
        ('first_output_consumed', p.consumed_at - p.first_output_at),
        ('consumed_finished', p.finished_at - coalesce(p.consumed_at, p.first_output_at, p.started_at)),
        ('stored_finished', case when p.attempt = 1 then p.finished_at - d.created_at end)
      ) as s (stage, took)
    )
    select (select count(*) from picked)::int as runs, now() - ${filter.sinceMs}::bigint * interval '1 ms' as since,
      n.stage, count(s.ms)::int as count,
      percentile_cont(array[0.5, 0.95, 0.99]::float8[]) within group (order by greatest(s.ms, 0)::float8)
        filter (where s.ms is not null) as percentiles
    from unnest(${[...STAGES]}::text[]) with ordinality as n (stage, place) left join steps s on s.stage = n.stage
    group by n.stage, n.place order by n.place`.execute(db)
  const first = rows[0]
  if (!first) throw new Error('The stage times answered nothing.')
  return {
    runs: first.runs,
    since: first.since,
    stages: rows.map(({ stage, count, percentiles }) => ({
      stage,
      count,
      p50: percentiles?.[0] ?? null,
      p95: percentiles?.[1] ?? null,
      p99: percentiles?.[2] ?? null,
    })),
  }
}
