import type { OrganizationId, UsageGroup, UsageRow } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'

const MAX_GROUPS = 1_000

/** What stands for a group: its key for programs and its name for people. `null` is what belongs to none. */
const groups: Record<UsageGroup, { id: RawBuilder<unknown>; name: RawBuilder<unknown> }> = {
  agent: { id: sql`u.agent_id`, name: sql`(select key from agents where agents.id = u.agent_id)` },
  job: { id: sql`u.job_id`, name: sql`(select key from jobs where jobs.id = u.job_id)` },
  machine: { id: sql`u.machine_id`, name: sql`(select name from machines where machines.id = u.machine_id)` },
  model: { id: sql`u.model`, name: sql`u.model` },
  day: { id: sql`to_char(u.day, 'YYYY-MM-DD')`, name: sql`to_char(u.day, 'YYYY-MM-DD')` },
}

/**
 * What was used from the first of two days (UTC) to the last, both counted, in groups with the most expensive first (days
 * in their order). Reads one row for each day, agent, job, machine and model, whatever the number of runs.
 */
export async function sumUsage(
  db: Db,
  organizationId: OrganizationId,
  filter: { by: UsageGroup; since: string; until: string; agentId?: string; jobId?: string },
): Promise<UsageRow[]> {
  const { id, name } = groups[filter.by]
  const order =
    filter.by === 'day' ? sql`1` : sql`sum(g.cost_usd) desc, sum(g.input_tokens + g.output_tokens) desc, 1`
  const { rows } = await sql<Row>`
    select g.id, case when g.id is null then null else min(g.name) end as name, sum(g.runs) as runs,
      sum(g.priced_runs) as priced_runs, sum(g.input_tokens) as input_tokens, sum(g.output_tokens) as output_tokens,
      sum(g.cached_tokens) as cached_tokens, sum(g.cost_usd) as cost_usd
    from (
      select ${id} as id, ${name} as name, u.runs, u.priced_runs, u.input_tokens, u.output_tokens, u.cached_tokens, u.cost_usd
      from usage_days u
      where u.organization_id = ${organizationId} and u.day between ${filter.since}::text::date and ${filter.until}::text::date
        ${filter.agentId ? sql`and u.agent_id = ${filter.agentId}` : sql``}
        ${filter.jobId ? sql`and u.job_id = ${filter.jobId}` : sql``}
    ) g group by g.id order by ${order} limit ${MAX_GROUPS}::int`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    runs: Number(row.runs),
    runsWithoutCost: Number(row.runs) - Number(row.priced_runs),
    inputTokens: Number(row.input_tokens),
    outputTokens: Number(row.output_tokens),
    cachedTokens: Number(row.cached_tokens),
    costUsd: row.cost_usd,
  }))
}

/** Sums of bigint are numeric, which comes as text. */
type Row = {
  id: string | null
  name: string | null
  runs: string
  priced_runs: string
  input_tokens: string
  output_tokens: string
  cached_tokens: string
  cost_usd: number
}
