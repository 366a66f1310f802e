import { sql } from 'kysely'

/**
 * The part of a settle that adds what its runs used to their days, once for each run: `ended` holds only runs that had
 * no end before. A superseded run counts as well, since it was paid for.
 */
export const addUsage = sql`,
    used as (
      insert into usage_days as u (organization_id, day, agent_id, machine_id, job_id, model, runs, priced_runs,
        input_tokens, output_tokens, cached_tokens, cost_usd)
      select e.organization_id, (e.finished_at at time zone 'UTC')::date, e.agent_id, e.machine_id, e.job_id,
        e.usage ->> 'model', count(*), count(e.usage ->> 'costUsd'), sum((e.usage ->> 'inputTokens')::bigint),
        sum((e.usage ->> 'outputTokens')::bigint), sum((e.usage ->> 'cachedTokens')::bigint),
        coalesce(sum((e.usage ->> 'costUsd')::float8), 0)
      from ended e where jsonb_typeof(e.usage) = 'object'
      group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict on constraint usage_days_key do update set runs = u.runs + excluded.runs,
        priced_runs = u.priced_runs + excluded.priced_runs, input_tokens = u.input_tokens + excluded.input_tokens,
        output_tokens = u.output_tokens + excluded.output_tokens,
        cached_tokens = u.cached_tokens + excluded.cached_tokens, cost_usd = u.cost_usd + excluded.cost_usd
    ),
    rested as (
      update agents a set quota_strikes = 0
      where a.quota_strikes > 0 and a.id in (select agent_id from ended where state = 'succeeded')
    )`
