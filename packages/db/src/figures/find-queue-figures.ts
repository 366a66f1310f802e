import type { DeliveryState, DispatchState, MachineState } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** What waits, is at work or is in trouble in this database, over all organizations. */
export type QueueFigures = {
  /** Unfinished deliveries. Parked ones are those that go on at a known time. */
  deliveries: Partial<Record<DeliveryState, number>>
  /** How long the oldest pending delivery waits, by whether its machine is online; null: none does. */
  oldestPendingS: { online: number | null; away: number | null }
  /** What is to be sent, and what could not be. */
  dispatches: Partial<Record<DispatchState, number>>
  /** How late the most overdue dispatch of a relay is. */
  dispatchesLateS: number
  machines: Partial<Record<MachineState, number>>
  /** Of first attempts accepted within five minutes, the newest 2,000: percentiles since they were stored, in seconds. */
  recent: { runs: number; leased: number[] | null; accepted: number[] | null }
}

export const RECENT_QUANTILES = [0.5, 0.95, 0.99] as const

/**
 * Read for whoever watches the relay, once in some seconds. Each part is answered from an index of the rows that it is
 * about, so that its cost goes with what waits and not with what is kept.
 */
export async function findQueueFigures(db: Db): Promise<QueueFigures> {
  const { rows } = await sql<{ figures: QueueFigures }>`
    with pending as materialized (
      select machine_state(m) = 'online' as is_online, p.n, p.first
      from machines m cross join lateral (
        select count(*) as n, min(id) as first from deliveries
        where machine_id = m.id and state = 'pending' and lane is null
        union all
        select count(*), min(id) from deliveries where machine_id = m.id and state = 'pending' and lane is not null
      ) p
      where p.n > 0
    ),
    oldest as (
      select p.is_online, max(extract(epoch from clock_timestamp() - d.created_at)) as seconds
      from pending p join deliveries d on d.id = p.first group by p.is_online
    ),
    recent as materialized (
      select extract(epoch from r.leased_at - d.created_at) as leased,
        extract(epoch from r.accepted_at - d.created_at) as accepted
      from (
        select delivery_id, attempt, leased_at, accepted_at from runs
        where id > 'run_' || lpad(to_hex((extract(epoch from now() - interval '1 hour') * 1000)::bigint), 12, '0')
        order by id desc limit 2000
      ) r join deliveries d on d.id = r.delivery_id
      where r.attempt = 1 and r.accepted_at > now() - interval '5 minutes'
    )
    select json_build_object(
      'deliveries', (
        select coalesce(json_object_agg(state, n), '{}') from (
          select 'pending' as state, coalesce(sum(n), 0) as n from pending
          union all
          select 'parked', count(*) from deliveries where state = 'parked' and parked_until is not null
          union all
          select state, count(*) from deliveries where state in ('leased', 'running', 'stalled') group by state
        ) s),
      'oldestPendingS', json_build_object(
        'online', (select seconds from oldest where is_online), 'away', (select seconds from oldest where not is_online)),
      'dispatches', (
        select coalesce(json_object_agg(state, n), '{}') from (
          select state, count(*) as n from dispatches where state in ('pending', 'sending') and machine_id is null group by 1
          union all
          select state, count(*) from dispatches where state in ('failed', 'dead') group by 1
        ) s),
      'dispatchesLateS', (
        select coalesce(greatest(0, extract(epoch from clock_timestamp() - min(next_at))), 0) from dispatches
        where state in ('pending', 'sending') and machine_id is null),
      'machines', (
        select coalesce(json_object_agg(state, n), '{}') from (
          select machine_state(m) as state, count(*) as n from machines m where m.archived_at is null group by 1) s),
      'recent', (
        select json_build_object('runs', count(*),
          'leased', percentile_cont(${[...RECENT_QUANTILES]}::float8[]) within group (order by greatest(leased, 0)::float8),
          'accepted', percentile_cont(${[...RECENT_QUANTILES]}::float8[]) within group (order by greatest(accepted, 0)::float8))
        from recent)
    ) as figures`.execute(db)
  const row = rows[0]
  if (!row) throw new Error('The figures of the queue answered nothing.')
  return row.figures
}
