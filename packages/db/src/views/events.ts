import { isUtf8 } from 'node:buffer'
import {
  type DeliveryId,
  type DeliveryState,
  type EventDetail,
  type EventId,
  type EventSource,
  type EventState,
  type EventVerification,
  type EventView,
  type IgnoredReason,
  type JobId,
  type MachineState,
  type OrganizationId,
  type Outcome,
  type RunId,
  type RunState,
  statusWord,
  type TriggerId,
  type TriggerKind,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { listDispatchViews, toDispatchView } from '../outputs/dispatch-views.ts'

type Row = {
  id: EventId
  source: EventSource
  state: EventState
  reason: IgnoredReason | null
  job_id: JobId | null
  job_key: string | null
  dedup_key: string
  content_type: string | null
  body_bytes: number
  headers: Record<string, string>
  received_at: Date
  deliveries: { id: DeliveryId; state: DeliveryState; runId: RunId }[] | null
  body?: Buffer
  reason_message: string | null
}

type DetailRow = Row & {
  verification: EventVerification | null
  cause: string | null
  hops: number
  trigger_id: TriggerId | null
  trigger_kind: TriggerKind | null
  runs:
    | {
        id: RunId
        deliveryId: DeliveryId
        attempt: number
        delivery: DeliveryState
        state: RunState | null
        outcome: Outcome | null
        hasResult: boolean
        machine: MachineState
        leasedAt: number | null
        startedAt: number | null
        finishedAt: number | null
      }[]
    | null
}

const columns = sql`
  select e.id, e.source, e.state, e.reason, e.reason_message, j.id as job_id, j.key as job_key, e.dedup_key, e.content_type,
    octet_length(e.body) as body_bytes, e.headers, e.received_at,
    (select json_agg(json_build_object('id', d.id, 'state', d.state, 'runId', d.run_id) order by d.id)
      from deliveries d where d.event_id = e.id) as deliveries`

export type EventFilter = {
  jobId?: JobId | undefined
  triggerId?: TriggerId | undefined
  state?: EventState | undefined
  reason?: IgnoredReason | undefined
  sources?: readonly EventSource[] | undefined
  since?: Date | undefined
  until?: Date | undefined
  before?: EventId | undefined
  limit: number
}

const matches = (organizationId: OrganizationId, filter: EventFilter) => sql`
  e.organization_id = ${organizationId}
  ${filter.jobId ? sql`and e.job_id = ${filter.jobId}` : sql``}
  ${filter.triggerId ? sql`and e.trigger_id = ${filter.triggerId}` : sql``}
  ${filter.state ? sql`and e.state = ${filter.state}` : sql``}
  ${filter.reason ? sql`and e.reason = ${filter.reason}` : sql``}
  ${filter.sources ? sql`and e.source = any(${[...filter.sources]}::text[])` : sql``}
  ${filter.since ? sql`and e.received_at >= ${filter.since.toISOString()}::text::timestamptz` : sql``}
  ${filter.until ? sql`and e.received_at < ${filter.until.toISOString()}::text::timestamptz` : sql``}
  ${filter.before ? sql`and e.id < ${filter.before}` : sql``}`

/** Events of an organization, newest first. */
export async function listEventViews(
  db: Db,
  organizationId: OrganizationId,
  filter: EventFilter,
): Promise<EventView[]> {
  const { rows } = await sql<Row>`
    ${columns} from events e left join jobs j on j.id = e.job_id
    where ${matches(organizationId, filter)}
    order by e.id desc limit ${filter.limit}::int`.execute(db)
  return rows.map(toEventView)
}

/** Events of one page of a search, at most; a search never reads more bodies at once. */
const SEARCHED = 500

/**
 * The newest of the next 500 events in which a text stands: in the body (byte for byte), a header or the sender's id.
 * `next` is where to go on; a page may have nothing and still go on.
 */
export async function searchEventViews(
  db: Db,
  organizationId: OrganizationId,
  text: string,
  filter: EventFilter,
): Promise<{ items: EventView[]; next: EventId | null }> {
  const { rows: scanned } = await sql<{ id: EventId; hit: boolean }>`
    select e.id, position(convert_to(${text}::text, 'UTF8') in e.body) > 0 or position(${text}::text in e.dedup_key) > 0
      or position(lower(${text}::text) in lower(e.headers::text)) > 0 as hit
    from (
      select e.* from events e where ${matches(organizationId, filter)} order by e.id desc limit ${SEARCHED}
    ) e order by e.id desc`.execute(db)
  const hits = scanned.filter((row) => row.hit).slice(0, filter.limit)
  const isFull = hits.length === filter.limit
  const last = isFull ? hits.at(-1)?.id : scanned.at(-1)?.id
  const { rows } = await sql<Row>`
    ${columns} from events e left join jobs j on j.id = e.job_id
    where e.id = any(${hits.map((hit) => hit.id)}::text[]) order by e.id desc`.execute(db)
  return { items: rows.map(toEventView), next: (isFull || scanned.length === SEARCHED ? last : null) ?? null }
}

/** A job's events after an id, oldest first, with their bodies; without those that the caller has. */
export async function listEventsAfter(
  db: Db,
  organizationId: OrganizationId,
  filter: { jobId: JobId; after: EventId; except: readonly EventId[]; limit: number },
): Promise<(EventView & { bytes: Buffer })[]> {
  const { rows } = await sql<Row>`
    ${columns}, e.body from events e left join jobs j on j.id = e.job_id
    where e.organization_id = ${organizationId} and e.job_id = ${filter.jobId} and e.id > ${filter.after}
      and e.id <> all(${[...filter.except]}::text[])
    order by e.id limit ${filter.limit}::int`.execute(db)
  return rows.map((row) => ({ ...toEventView(row), bytes: row.body ?? Buffer.alloc(0) }))
}

export async function findEventDetail(
  db: Db,
  organizationId: OrganizationId,
  id: string,
): Promise<(EventDetail & { bytes: Buffer }) | null> {
  const { rows } = await sql<DetailRow>`
    ${columns}, e.body, e.verification, e.cause, e.hops, t.id as trigger_id, t.kind as trigger_kind,
      (select json_agg(json_build_object('id', coalesce(r.id, d.run_id), 'deliveryId', d.id,
          'attempt', coalesce(r.attempt, d.attempt + 1), 'delivery', d.state, 'state', r.state, 'outcome', r.outcome,
          'hasResult', coalesce(r.result, '') <> '',
          'machine', machine_state(m), 'leasedAt', ${ms('coalesce(r.leased_at, d.leased_at)')},
          'startedAt', ${ms('r.started_at')}, 'finishedAt', ${ms('coalesce(r.finished_at, d.finished_at)')})
          order by d.id, r.attempt)
        from deliveries d join machines m on m.id = d.machine_id left join runs r on r.delivery_id = d.id
        where d.event_id = e.id) as runs
    from events e left join jobs j on j.id = e.job_id left join triggers t on t.id = e.trigger_id
    where e.organization_id = ${organizationId} and e.id = ${id}`.execute(db)
  const row = rows[0]
  if (!row) return null
  const dispatches = await listDispatchViews(db, organizationId, { eventId: row.id, limit: 100 })
  const bytes = row.body ?? Buffer.alloc(0)
  const isText = isUtf8(bytes)
  return {
    ...toEventView(row),
    body: bytes.toString(isText ? 'utf8' : 'base64'),
    bodyEncoding: isText ? 'text' : 'base64',
    verification: row.verification,
    trigger: row.trigger_id && row.trigger_kind ? { id: row.trigger_id, kind: row.trigger_kind } : null,
    cause: row.cause === null ? null : { id: row.cause, hops: row.hops },
    runs: (row.runs ?? []).map(({ delivery, state, outcome, hasResult, machine, ...run }) => ({
      ...run,
      status: statusWord(delivery, state ? { state, outcome, hasResult } : null, machine),
    })),
    dispatches: dispatches.map(toDispatchView).toReversed(),
    bytes,
  }
}

const ms = (column: string) => sql.raw(`floor(extract(epoch from ${column}) * 1000)`)

function toEventView(row: Row): EventView {
  return {
    id: row.id,
    source: row.source,
    state: row.state,
    reason: row.reason,
    reasonMessage: row.reason_message,
    job: row.job_id && row.job_key ? { id: row.job_id, key: row.job_key } : null,
    deliveryKey: row.dedup_key,
    contentType: row.content_type,
    bodyBytes: row.body_bytes,
    headers: row.headers,
    receivedAt: row.received_at.getTime(),
    deliveries: row.deliveries ?? [],
  }
}

export type SimulatedRow = {
  id: EventId
  source: EventSource
  headers: Record<string, string>
  content_type: string | null
  trigger_id: TriggerId | null
  received_at: Date
  fired: boolean
  body: Buffer
}

/** The newest events that came for a job since then, with what a trigger looks at. Bodies over 256 KiB come cut. */
export async function listSimulatedEvents(
  db: Db,
  organizationId: OrganizationId,
  filter: { jobId: JobId; since: Date; limit: number },
): Promise<SimulatedRow[]> {
  const { rows } = await sql<SimulatedRow>`
    select e.id, e.source, e.headers, e.content_type, e.trigger_id, e.received_at, e.state = 'matched' as fired,
      substring(e.body from 1 for 262144) as body
    from events e
    where e.organization_id = ${organizationId} and e.job_id = ${filter.jobId} and e.source not in ('manual', 'cron', 'interval')
      and e.dedup_scope = e.trigger_id and e.received_at >= ${filter.since.toISOString()}::text::timestamptz
    order by e.id desc limit ${filter.limit}::int`.execute(db)
  return rows
}
