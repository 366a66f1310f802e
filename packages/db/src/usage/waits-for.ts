import { sql } from 'kysely'

/**
 * The conditions that keep an agent's or a job's work waiting besides pauses and limits. Leasing, the views and "why"
 * are built on these same texts, so they cannot disagree. `a` is the agent, `j` the job.
 */

/** Its account is used up, or it is not signed in. */
export const isBlocked = sql`(a.blocked_reason is not null and coalesce(a.blocked_until, 'infinity') > now())`

/** Budgets and sums count by days of UTC. */
export const today = sql`(now() at time zone 'UTC')::date`
export const nextDay = sql`((${today} + 1)::timestamp at time zone 'UTC')`

/** One row: what an agent or a job has used today. */
export const usedToday = {
  agent: sql`(select coalesce(sum(u.cost_usd), 0) as usd, coalesce(sum(u.input_tokens + u.output_tokens), 0) as tokens
    from usage_days u where u.agent_id = a.id and u.day = ${today})`,
  job: sql`(select coalesce(sum(u.cost_usd), 0) as usd, coalesce(sum(u.input_tokens + u.output_tokens), 0) as tokens
    from usage_days u where u.job_id = j.id and u.day = ${today})`,
}

/** Its budget of the day is used up. Costs nothing for what has no budget. */
export const isSpent = {
  agent: sql`(a.budget is not null and exists (select from ${usedToday.agent} used
    where used.usd >= (a.budget ->> 'dayUsd')::float8 or used.tokens >= (a.budget ->> 'dayTokens')::bigint))`,
  job: sql`(j.budget is not null and exists (select from ${usedToday.job} used
    where used.usd >= (j.budget ->> 'dayUsd')::float8 or used.tokens >= (j.budget ->> 'dayTokens')::bigint))`,
}

/** A budget with what was used of it today, as JSON; null where there is none. */
export const budgetFacts = {
  agent: sql`(select json_build_object('budget', a.budget, 'usd', used.usd, 'tokens', used.tokens)
    from ${usedToday.agent} used where a.budget is not null)`,
  job: sql`(select json_build_object('budget', j.budget, 'usd', used.usd, 'tokens', used.tokens)
    from ${usedToday.job} used where j.budget is not null)`,
}
