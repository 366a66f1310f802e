import { type RawBuilder, sql } from 'kysely'

/**
 * CTEs that write a dispatch for each output of a job whose moment has come, as a part of the statement that makes the
 * moment true: so it is written exactly when that statement commits, and never by an older lease. `rows` names an earlier
 * CTE with the columns id, organization_id, event_id, job_id, machine_id, run_id, fence and state of deliveries. The key
 * makes a second statement for the same moment write nothing.
 */
export function queueDispatches(
  rows: 'closed' | 'accepted' | 'started' | 'refused' | 'gone' | 'asked' | 'given_up' | 'moved' | 'replaced',
  moment: 'accepted' | 'started' | 'finished',
): RawBuilder<unknown> {
  const isDue =
    moment === 'finished'
      ? sql`case d.state when 'succeeded' then o.moment in ('success', 'always')
          when 'cancelled' then o.moment = 'always'
          when 'failed' then o.moment in ('failure', 'always')
          when 'dead' then o.moment in ('failure', 'always')
          when 'expired' then o.moment in ('failure', 'always') else false end`
      : sql`o.moment = ${sql.lit(moment)}`
  return sql`
    queued_dispatches as (
      insert into dispatches (id, organization_id, output_id, job_id, event_id, delivery_id, run_id, kind, key, machine_id,
        fence, next_at)
      select 'dsp_' || uuid7_hex(), d.organization_id, o.id, d.job_id, d.event_id, d.id, d.run_id, o.kind,
        o.id || ':' || d.id, case when o.kind in ('stdout', 'file') then d.machine_id end, d.fence, now()
      from ${sql.id(rows)} d join outputs o on o.job_id = d.job_id
      where o.deleted_at is null and o.disabled_at is null and ${isDue}
      on conflict (key) do nothing
    )`
}
