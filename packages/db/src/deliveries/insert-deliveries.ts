import { type RawBuilder, sql } from 'kysely'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import type { NewDelivery, NewEvent } from './new-event.ts'

/** With the place of its event among those that were given. */
export type PlacedDelivery = NewDelivery & { event: NewEvent; place: number }

/** Its row is inserted if its event is, whatever else is stored. */
export const isQueued = ({ rules }: NewDelivery) =>
  rules === null || rules.overlap === 'queue' || rules.overlap === 'replace'

type Part = { columns: RawBuilder<unknown>; values: RawBuilder<unknown> }

/**
 * The part of the statement of `insertEvents` after a table `new_events (id)`: the tables that make the deliveries of
 * these events, and the rows that they answer. What only leases, rules or other overlap rules than `queue` need is left
 * out where no delivery of a batch has them, because every statement is set up anew and opens all indexes for each insert:
 * an event alone takes half as long again with all of it.
 */
export function insertDeliveries(
  deliveries: PlacedDelivery[],
  leaseMs: number,
): { tables: RawBuilder<unknown>; rows: RawBuilder<unknown> } {
  if (deliveries.length === 0) return { tables: sql``, rows: sql`` }
  const areLeased = deliveries.some((delivery) => delivery.leaseEpoch !== null)
  const haveRules = deliveries.some((delivery) => delivery.rules !== null)
  const haveOverlaps = deliveries.some(({ rules }) => rules !== null && rules.overlap !== 'queue')
  const parts: Part[] = [
    always,
    ...(areLeased || haveRules ? [stateOf(areLeased, haveRules)] : []),
    ...(areLeased ? [leases(leaseMs)] : []),
    ...(haveRules ? [ruled] : []),
  ]
  const insert = sql`insert into deliveries (${sql.join(parts.map((part) => part.columns))})`
  const selected = sql.join(parts.map((part) => part.values))
  const others = haveOverlaps ? overlaps(insert, selected) : { tables: sql``, rows: sql`` }
  return {
    tables: sql`,${areLeased ? sessions(deliveries) : sql``}
    planned as (
      select d.*, d.limits_text::jsonb as limits${areLeased ? isLeased : sql``}${haveRules ? fromRules : sql``}
      from unnest(
        ${deliveries.map((d) => d.id)}::text[], ${deliveries.map((d) => d.event.organizationId)}::text[],
        ${deliveries.map((d) => d.event.id)}::text[], ${deliveries.map((d) => d.jobId)}::text[],
        ${deliveries.map((d) => d.agentId)}::text[], ${deliveries.map((d) => d.machineId)}::text[],
        ${deliveries.map((d) => d.runId)}::text[], ${deliveries.map((d) => d.prompt)}::text[],
        ${deliveries.map((d) => d.workspace)}::text[], ${deliveries.map((d) => d.lane)}::text[],
        ${deliveries.map((d) => JSON.stringify(d.limits))}::text[], ${deliveries.map((d) => d.trust)}::text[]
        ${areLeased ? sql`, ${deliveries.map((d) => d.leaseEpoch)}::bigint[]` : sql``}
        ${haveRules ? rulesOf(deliveries) : sql``}
      ) as d (id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, workspace, lane,
        limits_text, trust${areLeased ? sql`, lease_epoch` : sql``}${haveRules ? sql`, rules, place` : sql``})
      join new_events on new_events.id = d.event_id
      ${areLeased ? joinSessions : sql``}
      ${haveRules ? joinRules : sql``}
    ),
    queued as (
      ${insert}
      select ${selected} from planned ${haveOverlaps ? sql`where overlap in ('queue', 'replace')` : sql``}
      returning id, run_id, event_id, fence, overlap_key
    )${others.tables}`,
    rows: sql`
    union all select 'delivery', id, run_id, event_id, fence, overlap_key, null, false from queued${others.rows}`,
  }
}

const always: Part = {
  columns: sql`id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, workspace, lane, limits,
  max_attempts, repeatable, trust`,
  values: sql`id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, workspace, lane, limits,
  (limits ->> 'maxAttempts')::int, (limits ->> 'repeatable')::boolean, trust`,
}

const stateOf = (areLeased: boolean, haveRules: boolean): Part => ({
  columns: sql`state`,
  values: sql`case ${areLeased ? sql`when is_leased then 'leased'` : sql``}
    ${haveRules ? sql`when delay_ms > 0 then 'parked'` : sql``} else 'pending' end`,
})

/** The sessions that may get deliveries already leased: a machine that is being revoked waits, or is seen. */
const sessions = (deliveries: PlacedDelivery[]) => sql`
    sessions as materialized (
      select id, session_epoch from machines
      where id = any(${[...new Set(deliveries.filter((d) => d.leaseEpoch !== null).map((d) => d.machineId))]}::text[])
        and revoked_at is null and archived_at is null and draining_at is null
      for share
    ),`
const isLeased = sql`, sessions.id is not null as is_leased`
const joinSessions = sql`left join sessions on sessions.id = d.machine_id and sessions.session_epoch = d.lease_epoch`
const leases = (leaseMs: number): Part => ({
  columns: sql`fence, leased_at, lease_expires_at`,
  values: sql`case when is_leased then nextval('fences') else 0 end, case when is_leased then now() end,
    case when is_leased then now() + ${leaseMs}::int * interval '1 ms' end`,
})

const rulesOf = (deliveries: PlacedDelivery[]) => sql`,
        ${deliveries.map((d) => d.rules && JSON.stringify(d.rules))}::text[], ${deliveries.map((d) => d.place)}::int[]`
const fromRules = sql`,
        coalesce(r.priority, 0) as priority, r."delayMs" as delay_ms, r."ttlMs" as ttl_ms, r."stallMs" as stall_ms,
        r."concurrencyKey" as concurrency_key, r."concurrencyLimit" as concurrency_limit,
        coalesce(r.overlap, 'queue') as overlap, r."overlapKey" as overlap_key, r.conversation`
const joinRules = sql`left join lateral json_to_record(d.rules::json) as r (priority int, "delayMs" bigint,
        "ttlMs" bigint, "stallMs" bigint, "concurrencyKey" text, "concurrencyLimit" int, overlap text,
        "overlapKey" text, conversation text)
        on d.rules is not null`
const ruled: Part = {
  columns: sql`parked_until, reason, reason_message, expires_at, priority, stall_ms, concurrency_key,
  concurrency_limit, overlap, overlap_key, conversation`,
  values: sql`case when delay_ms > 0 then now() + delay_ms * interval '1 ms' end,
  case when delay_ms > 0 then 'delayed' end, case when delay_ms > 0 then 'Its job asks for a delay.' end,
  case when ttl_ms is not null then now() + ttl_ms * interval '1 ms' end,
  priority, stall_ms, concurrency_key, concurrency_limit, overlap, overlap_key, conversation`,
}

/**
 * What the other overlap rules than `queue` add. (That a coalesced event says so is a trigger's work: this statement does
 * not see the event of one that runs at the same moment.)
 */
const overlaps = (insert: RawBuilder<unknown>, selected: RawBuilder<unknown>) => ({
  tables: sql`,
    skipped as (
      ${insert}
      select ${selected} from planned where overlap = 'skip'
      on conflict (overlap_key) where overlap = 'skip' and state in ('pending', 'parked', 'leased', 'running', 'stalled')
        do nothing
      returning id, run_id, event_id, fence, null::text as overlap_key
    ),
    coalesced as (
      ${insert}
      select distinct on (overlap_key) ${selected} from planned where overlap = 'coalesce' order by overlap_key, place desc
      on conflict (overlap_key) where overlap = 'coalesce' and state in ('pending', 'parked') and fence = 0
        do update set event_id = excluded.event_id, prompt = excluded.prompt, workspace = excluded.workspace,
          lane = excluded.lane, limits = excluded.limits, agent_id = excluded.agent_id, machine_id = excluded.machine_id,
          trust = excluded.trust, conversation = excluded.conversation
      returning id, run_id, event_id, fence, overlap_key
    ),
    replaced as (
      update deliveries d set
        cancel_requested_at = coalesce(d.cancel_requested_at, now()), cancel_reason = 'A newer event replaced it.',
        state = case when d.accepted_at is null or d.state in ('pending', 'parked') then 'cancelled' else d.state end,
        state_since = now(), reason = 'replaced', reason_message = 'A newer event replaced it.', parked_until = null,
        lease_expires_at = case when d.accepted_at is null or d.state in ('pending', 'parked') then null
          else d.lease_expires_at end,
        finished_at = case when d.accepted_at is null or d.state in ('pending', 'parked') then now() end
      where d.overlap = 'replace' and d.state in ('pending', 'parked', 'leased', 'running', 'stalled')
        and d.overlap_key in (select overlap_key from planned where overlap = 'replace')
      returning d.id, d.organization_id, d.event_id, d.job_id, d.run_id, d.machine_id, d.overlap_key, d.fence, d.state,
        d.state <> 'cancelled' as must_stop
    ),
    ${queueDispatches('replaced', 'finished')}`,
  rows: sql`
    union all select 'delivery', id, run_id, event_id, fence, null, null, false from skipped
    union all select 'coalesced', id, run_id, event_id, fence, overlap_key, null, false from coalesced
    union all select 'replaced', id, run_id, null, fence, overlap_key, machine_id, must_stop from replaced`,
})
