import type {
  AgentId,
  Cause,
  DeliveryId,
  EventId,
  EventSource,
  EventVerification,
  IgnoredReason,
  JobId,
  MachineId,
  OrganizationId,
  Overlap,
  RunId,
  RunLimits,
  TriggerId,
  Trust,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import { findFirst } from './find-first.ts'
import { packBodies } from './pack-bodies.ts'

export type NewDelivery = {
  id: DeliveryId
  runId: RunId
  agentId: AgentId
  machineId: MachineId
  jobId: JobId | null
  prompt: string
  workspace: string | null
  /** Deliveries in the same lane of a machine run one after the other; null runs beside all others. */
  lane: string | null
  limits: RunLimits
  /** `public`: what the agent is told came from outside the organization. */
  trust: Trust
  /** null: none of the rules below. */
  rules: DeliveryRules | null
  /** Insert it already leased, if this is still the machine's session; else it is pending. */
  leaseEpoch: number | null
}

/** A job's rules as they stand for one delivery, with their keys filled in. */
export type DeliveryRules = {
  priority: number
  delayMs: number
  ttlMs: number | null
  stallMs: number | null
  concurrencyKey: string | null
  concurrencyLimit: number | null
  overlap: Overlap
  overlapKey: string | null
  /** Its agent's conversation to go on with. One delivery of it is at work at a time: see `concurrencyKey`. */
  conversation: string | null
}

export type NewEvent = {
  id: EventId
  organizationId: OrganizationId
  jobId: JobId | null
  triggerId: TriggerId | null
  source: EventSource
  ignored: IgnoredReason | null
  /** Why it is ignored, as a sentence. */
  ignoredMessage?: string | null
  verification?: EventVerification | null
  /** What made it, when that was a run, an output or another event. */
  cause?: Cause | null
  dedupScope: string
  dedupKey: string
  bodyHash: string
  contentType: string | null
  headers: Record<string, string>
  body: Buffer
  /** It is stored and `accepted` already: its deliveries are decided now. No deliveries is not for this statement. */
  stored?: true
  deliveries: NewDelivery[]
}

export type InsertedEvent = {
  eventId: EventId
  /** False for a repeat: then everything else is the first one's. */
  inserted: boolean
  bodyHash: string
  /** A coalesced event has the delivery of the one whose place it took; a skipped one has none. */
  deliveries: { id: DeliveryId; runId: RunId; fence: number }[]
  /** Earlier deliveries that this event replaced; those with `mustStop` are held by a machine. */
  replaced: { id: DeliveryId; machineId: MachineId; runId: RunId; fence: number; mustStop: boolean }[]
}

/**
 * Commits events and their deliveries together in one statement and one commit, whatever their number: the group
 * commit of the intake. An event whose (scope, key) is known is left out with all its deliveries; the answer then
 * names the first one. Answers come in the order of the input.
 *
 * Bodies travel as one text cut apart by byte offsets on the server: an array of text would be escaped quote by quote.
 */
export async function insertEvents(db: Db, unordered: NewEvent[], leaseMs: number): Promise<InsertedEvent[]> {
  // One order of keys for everybody: two statements with the same keys would otherwise wait for each other.
  const events = unordered.toSorted(byDeduplicationKey)
  const deliveries = events.flatMap((event) =>
    event.deliveries.map((delivery) => ({ ...delivery, event, place: unordered.indexOf(event) })),
  )
  const fresh = events.filter((event) => !event.stored)
  const stored = events.filter((event) => event.stored)
  const bodies = packBodies(fresh.map((event) => event.body))
  const overlapping = deliveries.some(({ rules }) => rules !== null && rules.overlap !== 'queue')
  const takenUp = stored.length > 0 ? sql`${takeUp(stored)},` : sql``
  const storedIds = stored.length > 0 ? sql` union all select id from taken_up` : sql``
  const others = overlapping ? overlaps(leaseMs) : { tables: sql``, rows: sql`` }
  const { rows } = await sql<ResultRow>`
    with packed as materialized (select convert_to(${bodies.text}::text, 'UTF8') as bytes),
    made_events as (
      insert into events (id, organization_id, job_id, trigger_id, source, state, reason, reason_message, verification, cause,
        hops, dedup_scope, dedup_key, body_hash, content_type, headers, body)
      select e.id, e.organization_id, e.job_id, e.trigger_id, e.source,
        case when e.reason is null then 'matched' else 'ignored' end, e.reason, e.reason_message,
        e.verification::jsonb, e.cause, e.hops, e.dedup_scope, e.dedup_key, e.body_hash, e.content_type, e.headers::jsonb,
        case when e.binary_body is null then substring(packed.bytes from e.body_from for e.body_bytes)
          else decode(e.binary_body, 'hex') end
      from packed, unnest(
        ${fresh.map((e) => e.id)}::text[], ${fresh.map((e) => e.organizationId)}::text[],
        ${fresh.map((e) => e.jobId)}::text[], ${fresh.map((e) => e.triggerId)}::text[],
        ${fresh.map((e) => e.source)}::text[], ${fresh.map((e) => e.ignored)}::text[],
        ${fresh.map((e) => e.ignoredMessage ?? null)}::text[],
        ${fresh.map((e) => (e.verification ? JSON.stringify(e.verification) : null))}::text[],
        ${fresh.map((e) => e.cause?.id ?? null)}::text[], ${fresh.map((e) => e.cause?.hops ?? 0)}::int[],
        ${fresh.map((e) => e.dedupScope)}::text[], ${fresh.map((e) => e.dedupKey)}::text[],
        ${fresh.map((e) => e.bodyHash)}::text[], ${fresh.map((e) => e.contentType)}::text[],
        ${fresh.map((e) => JSON.stringify(e.headers))}::text[],
        ${bodies.from}::int[], ${bodies.bytes}::int[], ${bodies.binary}::text[]
      ) as e (id, organization_id, job_id, trigger_id, source, reason, reason_message, verification, cause,
        hops, dedup_scope, dedup_key, body_hash, content_type, headers, body_from, body_bytes, binary_body)
      on conflict (dedup_scope, dedup_key) do nothing
      returning id
    ),
    ${takenUp}new_events as materialized (select id from made_events${storedIds}),
    sessions as materialized (
      select id, session_epoch from machines
      where id = any(${[...new Set(deliveries.filter((d) => d.leaseEpoch !== null).map((d) => d.machineId))]}::text[])
        and revoked_at is null and archived_at is null and draining_at is null
      for share
    ),
    planned as materialized (
      select d.*, d.limits_text::jsonb as limits, sessions.id is not null as is_leased,
        coalesce(r.priority, 0) as priority, r."delayMs" as delay_ms, r."ttlMs" as ttl_ms, r."stallMs" as stall_ms,
        r."concurrencyKey" as concurrency_key, r."concurrencyLimit" as concurrency_limit,
        coalesce(r.overlap, 'queue') as overlap, r."overlapKey" as overlap_key, r.conversation
      from unnest(
        ${deliveries.map((d) => d.id)}::text[], ${deliveries.map((d) => d.event.organizationId)}::text[],
        ${deliveries.map((d) => d.event.id)}::text[], ${deliveries.map((d) => d.jobId)}::text[],
        ${deliveries.map((d) => d.agentId)}::text[], ${deliveries.map((d) => d.machineId)}::text[],
        ${deliveries.map((d) => d.runId)}::text[], ${deliveries.map((d) => d.prompt)}::text[],
        ${deliveries.map((d) => d.workspace)}::text[], ${deliveries.map((d) => d.lane)}::text[],
        ${deliveries.map((d) => JSON.stringify(d.limits))}::text[], ${deliveries.map((d) => d.leaseEpoch)}::bigint[],
        ${deliveries.map((d) => d.rules && JSON.stringify(d.rules))}::text[], ${deliveries.map((d) => d.place)}::int[],
        ${deliveries.map((d) => d.trust)}::text[]
      ) as d (id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, workspace, lane,
        limits_text, lease_epoch, rules, place, trust)
      join new_events on new_events.id = d.event_id
      left join sessions on sessions.id = d.machine_id and sessions.session_epoch = d.lease_epoch
      left join lateral json_to_record(d.rules::json) as r (priority int, "delayMs" bigint, "ttlMs" bigint,
        "stallMs" bigint, "concurrencyKey" text, "concurrencyLimit" int, overlap text, "overlapKey" text,
        conversation text)
        on d.rules is not null
    ),
    queued as (
      insert into deliveries (${columns})
      select ${values(leaseMs)} from planned where overlap in ('queue', 'replace')
      returning id, run_id, event_id, fence, overlap_key
    )${others.tables}
    select 'event' as kind, id, null as run_id, id as event_id, 0::bigint as fence, null as overlap_key,
      null as machine_id, false as must_stop from new_events
    union all select 'delivery', id, run_id, event_id, fence, overlap_key, null, false from queued${others.rows}`.execute(
    db,
  )

  const inserted = new Set(rows.filter((row) => row.kind === 'event').map((row) => row.id))
  const repeats = events.filter((event) => !inserted.has(event.id))
  const first = repeats.length === 0 ? new Map<string, InsertedEvent>() : await findFirst(db, repeats)
  const answerOf = (event: NewEvent): InsertedEvent => {
    if (inserted.has(event.id)) return insertedEvent(event, rows)
    const known = first.get(`${event.dedupScope}\n${event.dedupKey}`)
    if (!known)
      throw new Error(`The first event of ${event.dedupScope} ${event.dedupKey} went away while it was read.`)
    return known
  }
  const isWithout = events.filter(
    (event) => event.deliveries.length > 0 && inserted.has(event.id) && hasNone(event, rows),
  )
  if (isWithout.length > 0) await explainWithout(db, isWithout, rows)
  return unordered.map(answerOf)
}

function byDeduplicationKey(one: NewEvent, other: NewEvent): number {
  const [a, b] = [`${one.dedupScope}\n${one.dedupKey}`, `${other.dedupScope}\n${other.dedupKey}`]
  return a < b ? -1 : a > b ? 1 : 0
}

type ResultRow = {
  kind: 'event' | 'delivery' | 'coalesced' | 'replaced'
  id: string
  run_id: RunId
  event_id: string
  fence: number
  overlap_key: string | null
  machine_id: MachineId
  must_stop: boolean
}

const columns = sql`id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, workspace, lane, limits,
  max_attempts, repeatable, state, fence, leased_at, lease_expires_at, parked_until, reason, reason_message, expires_at,
  priority, stall_ms, concurrency_key, concurrency_limit, overlap, overlap_key,
  trust, conversation`
const values = (
  leaseMs: number,
) => sql`id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, workspace, lane, limits,
  (limits ->> 'maxAttempts')::int, (limits ->> 'repeatable')::boolean,
  case when is_leased then 'leased' when delay_ms > 0 then 'parked' else 'pending' end,
  case when is_leased then nextval('fences') else 0 end,
  case when is_leased then now() end, case when is_leased then now() + ${leaseMs}::int * interval '1 ms' end,
  case when delay_ms > 0 then now() + delay_ms * interval '1 ms' end,
  case when delay_ms > 0 then 'delayed' end, case when delay_ms > 0 then 'Its job asks for a delay.' end,
  case when ttl_ms is not null then now() + ttl_ms * interval '1 ms' end,
  priority, stall_ms, concurrency_key, concurrency_limit, overlap, overlap_key, trust, conversation`

/** Events that were stored before they were decided about. */
const takeUp = (stored: NewEvent[]) => sql`
    taken_up as (
      update events set state = 'matched', job_id = x.job_id, trigger_id = x.trigger_id
      from unnest(${stored.map((e) => e.id)}::text[], ${stored.map((e) => e.jobId)}::text[],
        ${stored.map((e) => e.triggerId)}::text[]) as x (id, job_id, trigger_id)
      where events.id = x.id and events.state = 'accepted'
      returning events.id
    )`

/**
 * What the other overlap rules than `queue` add to the statement. (That a coalesced event says so is a trigger's work: this
 * statement does not see the event of one that runs at the same moment.) Left out where no delivery of a batch needs it: each
 * insert into `deliveries` opens all its indexes, and an event alone takes a third longer with them.
 */
const overlaps = (leaseMs: number) => ({
  tables: sql`,
    skipped as (
      insert into deliveries (${columns})
      select ${values(leaseMs)} from planned where overlap = 'skip'
      on conflict (overlap_key) where overlap = 'skip' and state in ('pending', 'parked', 'leased', 'running', 'stalled')
        do nothing
      returning id, run_id, event_id, fence, null::text as overlap_key
    ),
    coalesced as (
      insert into deliveries (${columns})
      select distinct on (overlap_key) ${values(leaseMs)} from planned where overlap = 'coalesce' order by overlap_key, place desc
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

function insertedEvent(event: NewEvent, rows: ResultRow[]): InsertedEvent {
  const keys = event.deliveries.map((delivery) => delivery.rules?.overlapKey ?? null)
  const own = rows.filter(
    (row) =>
      (row.kind === 'delivery' && row.event_id === event.id) ||
      (row.kind === 'coalesced' && row.overlap_key !== null && keys.includes(row.overlap_key)),
  )
  const replaced = rows.filter((row) => row.kind === 'replaced' && keys.includes(row.overlap_key))
  return {
    eventId: event.id,
    inserted: true,
    bodyHash: event.bodyHash,
    deliveries: own.map(({ id, run_id, fence }) => ({ id: id as DeliveryId, runId: run_id, fence })),
    replaced: replaced.map((row) => ({
      id: row.id as DeliveryId,
      machineId: row.machine_id,
      runId: row.run_id,
      fence: row.fence,
      mustStop: row.must_stop,
    })),
  }
}

/** No delivery row names this event: it was skipped, or another of the same batch took its place. */
function hasNone(event: NewEvent, rows: ResultRow[]): boolean {
  return !rows.some((row) => row.kind !== 'event' && row.event_id === event.id)
}

async function explainWithout(db: Db, events: NewEvent[], rows: ResultRow[]): Promise<void> {
  const reasons = events.map(
    (event): IgnoredReason =>
      event.deliveries.some((delivery) => delivery.rules?.overlap === 'coalesce')
        ? 'coalesced'
        : 'overlap_skipped',
  )
  const into = events.map((event) => insertedEvent(event, rows).deliveries[0]?.id ?? null)
  await sql`
    update events set state = 'ignored', reason = x.reason, coalesced_into = x.coalesced_into
    from unnest(${events.map((event) => event.id)}::text[], ${reasons}::text[], ${into}::text[])
      as x (id, reason, coalesced_into)
    where events.id = x.id and events.state = 'matched'`.execute(db)
}

/** Events whose explanation was lost in a crash: stored without a delivery and not ignored. For the start of a relay. */
export async function explainForgotten(db: Db): Promise<number> {
  const { numAffectedRows } = await sql`
    update events e set state = 'ignored', reason = 'overlap_skipped'
    where state = 'matched' and received_at < now() - interval '1 minute'
      and id > 'evt_' || lpad(to_hex((extract(epoch from now() - interval '1 day') * 1000)::bigint), 12, '0')
      and not exists (select from deliveries d where d.event_id = e.id)`.execute(db)
  return Number(numAffectedRows ?? 0n)
}
