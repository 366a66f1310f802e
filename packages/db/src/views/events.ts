import { isUtf8 } from 'node:buffer'
import type {
  DeliveryId,
  DeliveryState,
  EventDetail,
  EventId,
  EventSource,
  EventState,
  EventView,
  IgnoredReason,
  JobId,
  OrganizationId,
  RunId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

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
}

const columns = sql`
  select e.id, e.source, e.state, e.reason, j.id as job_id, j.key as job_key, e.dedup_key, e.content_type,
    octet_length(e.body) as body_bytes, e.headers, e.received_at,
    (select json_agg(json_build_object('id', d.id, 'state', d.state, 'runId', d.run_id) order by d.id)
      from deliveries d where d.event_id = e.id) as deliveries`

/** Events of an organization, newest first. */
export async function listEventViews(
  db: Db,
  organizationId: OrganizationId,
  filter: { jobId?: JobId | undefined; before?: EventId | undefined; limit: number },
): Promise<EventView[]> {
  const { rows } = await sql<Row>`
    ${columns} from events e left join jobs j on j.id = e.job_id
    where e.organization_id = ${organizationId}
      ${filter.jobId ? sql`and e.job_id = ${filter.jobId}` : sql``}
      ${filter.before ? sql`and e.id < ${filter.before}` : sql``}
    order by e.id desc limit ${filter.limit}::int`.execute(db)
  return rows.map(toEventView)
}

export async function findEventDetail(
  db: Db,
  organizationId: OrganizationId,
  id: string,
): Promise<(EventDetail & { bytes: Buffer }) | null> {
  const { rows } = await sql<Row>`
    ${columns}, e.body from events e left join jobs j on j.id = e.job_id
    where e.organization_id = ${organizationId} and e.id = ${id}`.execute(db)
  const row = rows[0]
  if (!row) return null
  const bytes = row.body ?? Buffer.alloc(0)
  const isText = isUtf8(bytes)
  return {
    ...toEventView(row),
    body: bytes.toString(isText ? 'utf8' : 'base64'),
    bodyEncoding: isText ? 'text' : 'base64',
    bytes,
  }
}

function toEventView(row: Row): EventView {
  return {
    id: row.id,
    source: row.source,
    state: row.state,
    reason: row.reason,
    job: row.job_id && row.job_key ? { id: row.job_id, key: row.job_key } : null,
    deliveryKey: row.dedup_key,
    contentType: row.content_type,
    bodyBytes: row.body_bytes,
    headers: row.headers,
    receivedAt: row.received_at.getTime(),
    deliveries: row.deliveries ?? [],
  }
}
