import { isUtf8 } from 'node:buffer'
import type {
  AgentId,
  DeliveryId,
  EventId,
  IgnoredReason,
  JobId,
  MachineId,
  OrganizationId,
  RunId,
  RunLimits,
  TriggerId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type NewDelivery = {
  id: DeliveryId
  runId: RunId
  agentId: AgentId
  machineId: MachineId
  jobId: JobId | null
  prompt: string
  workspace: string | null
  workspaceKey: string
  limits: RunLimits
  /** Insert it already leased, if this is still the machine's session; else it is pending. */
  leaseEpoch: number | null
}

export type NewEvent = {
  id: EventId
  organizationId: OrganizationId
  jobId: JobId | null
  triggerId: TriggerId | null
  source: 'webhook' | 'manual'
  ignored: IgnoredReason | null
  dedupScope: string
  dedupKey: string
  bodyHash: string
  contentType: string | null
  headers: Record<string, string>
  body: Buffer
  deliveries: NewDelivery[]
}

export type InsertedEvent = {
  eventId: EventId
  /** False for a repeat: then everything else is the first one's. */
  inserted: boolean
  bodyHash: string
  deliveries: { id: DeliveryId; runId: RunId; fence: number }[]
}

/**
 * Commits events and their deliveries together in one statement and one commit, whatever their number: the group
 * commit of the intake. An event whose (scope, key) is known is left out with all its deliveries; the answer then
 * names the first one. Answers come in the order of the input.
 *
 * Bodies travel as one text cut apart by byte offsets on the server: an array of text would be escaped quote by quote.
 */
export async function insertEvents(db: Db, events: NewEvent[], leaseMs: number): Promise<InsertedEvent[]> {
  const deliveries = events.flatMap((event) => event.deliveries.map((delivery) => ({ ...delivery, event })))
  const bodies = packBodies(events.map((event) => event.body))
  const { rows } = await sql<{ kind: 'event' | 'delivery'; id: string; fence: number }>`
    with packed as materialized (select convert_to(${bodies.text}::text, 'UTF8') as bytes),
    new_events as (
      insert into events (id, organization_id, job_id, trigger_id, source, state, reason, dedup_scope, dedup_key,
        body_hash, content_type, headers, body)
      select e.id, e.organization_id, e.job_id, e.trigger_id, e.source,
        case when e.reason is null then 'matched' else 'ignored' end, e.reason, e.dedup_scope, e.dedup_key,
        e.body_hash, e.content_type, e.headers::jsonb,
        case when e.binary_body is null then substring(packed.bytes from e.body_from for e.body_bytes)
          else decode(e.binary_body, 'hex') end
      from packed, unnest(
        ${events.map((e) => e.id)}::text[], ${events.map((e) => e.organizationId)}::text[],
        ${events.map((e) => e.jobId)}::text[], ${events.map((e) => e.triggerId)}::text[],
        ${events.map((e) => e.source)}::text[], ${events.map((e) => e.ignored)}::text[],
        ${events.map((e) => e.dedupScope)}::text[], ${events.map((e) => e.dedupKey)}::text[],
        ${events.map((e) => e.bodyHash)}::text[], ${events.map((e) => e.contentType)}::text[],
        ${events.map((e) => JSON.stringify(e.headers))}::text[],
        ${bodies.from}::int[], ${bodies.bytes}::int[], ${bodies.binary}::text[]
      ) as e (id, organization_id, job_id, trigger_id, source, reason, dedup_scope, dedup_key, body_hash,
        content_type, headers, body_from, body_bytes, binary_body)
      on conflict (dedup_scope, dedup_key) do nothing
      returning id
    ),
    sessions as materialized (
      select id, session_epoch from machines
      where id = any(${[...new Set(deliveries.filter((d) => d.leaseEpoch !== null).map((d) => d.machineId))]}::text[])
        and revoked_at is null and archived_at is null and draining_at is null
      for share
    ),
    new_deliveries as (
      insert into deliveries (id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, workspace,
        workspace_key, limits, max_attempts, repeatable, state, fence, leased_at, lease_expires_at)
      select d.id, d.organization_id, d.event_id, d.job_id, d.agent_id, d.machine_id, d.run_id, d.prompt, d.workspace,
        d.workspace_key, d.limits::jsonb, (d.limits::jsonb ->> 'maxAttempts')::int,
        (d.limits::jsonb ->> 'repeatable')::boolean,
        case when sessions.id is null then 'pending' else 'leased' end,
        case when sessions.id is null then 0 else nextval('fences') end,
        case when sessions.id is null then null else now() end,
        case when sessions.id is null then null else now() + ${leaseMs}::int * interval '1 ms' end
      from unnest(
        ${deliveries.map((d) => d.id)}::text[], ${deliveries.map((d) => d.event.organizationId)}::text[],
        ${deliveries.map((d) => d.event.id)}::text[], ${deliveries.map((d) => d.jobId)}::text[],
        ${deliveries.map((d) => d.agentId)}::text[], ${deliveries.map((d) => d.machineId)}::text[],
        ${deliveries.map((d) => d.runId)}::text[], ${deliveries.map((d) => d.prompt)}::text[],
        ${deliveries.map((d) => d.workspace)}::text[], ${deliveries.map((d) => d.workspaceKey)}::text[],
        ${deliveries.map((d) => JSON.stringify(d.limits))}::text[], ${deliveries.map((d) => d.leaseEpoch)}::bigint[]
      ) as d (id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, workspace, workspace_key,
        limits, lease_epoch)
      join new_events on new_events.id = d.event_id
      left join sessions on sessions.id = d.machine_id and sessions.session_epoch = d.lease_epoch
      returning id, fence
    )
    select 'event' as kind, id, 0::bigint as fence from new_events
    union all select 'delivery', id, fence from new_deliveries`.execute(db)

  const inserted = new Set(rows.filter((row) => row.kind === 'event').map((row) => row.id))
  const fences = new Map(rows.filter((row) => row.kind === 'delivery').map((row) => [row.id, row.fence]))
  const repeats = events.filter((event) => !inserted.has(event.id))
  const first = repeats.length === 0 ? new Map<string, InsertedEvent>() : await findFirst(db, repeats)
  return events.map((event) => {
    if (inserted.has(event.id)) return insertedEvent(event, fences)
    const known = first.get(`${event.dedupScope}\n${event.dedupKey}`)
    if (!known)
      throw new Error(`The first event of ${event.dedupScope} ${event.dedupKey} went away while it was read.`)
    return known
  })
}

function insertedEvent(event: NewEvent, fences: Map<string, number>): InsertedEvent {
  return {
    eventId: event.id,
    inserted: true,
    bodyHash: event.bodyHash,
    deliveries: event.deliveries.map(({ id, runId }) => ({ id, runId, fence: fences.get(id) ?? 0 })),
  }
}

async function findFirst(db: Db, repeats: NewEvent[]): Promise<Map<string, InsertedEvent>> {
  const { rows } = await sql<{
    id: EventId
    scope: string
    key: string
    body_hash: string
    deliveries: InsertedEvent['deliveries'] | null
  }>`
    select e.id, e.dedup_scope as scope, e.dedup_key as key, e.body_hash,
      (select json_agg(json_build_object('id', d.id, 'runId', d.run_id, 'fence', d.fence) order by d.id)
        from deliveries d where d.event_id = e.id) as deliveries
    from events e
    join unnest(${repeats.map((e) => e.dedupScope)}::text[], ${repeats.map((e) => e.dedupKey)}::text[]) as k (scope, key)
      on e.dedup_scope = k.scope and e.dedup_key = k.key`.execute(db)
  return new Map(
    rows.map((row) => [
      `${row.scope}\n${row.key}`,
      { eventId: row.id, inserted: false, bodyHash: row.body_hash, deliveries: row.deliveries ?? [] },
    ]),
  )
}

function packBodies(bodies: Buffer[]) {
  const texts: Buffer[] = []
  const from: number[] = []
  const bytes: number[] = []
  const binary: (string | null)[] = []
  let offset = 1
  for (const body of bodies) {
    const isText = isUtf8(body) && !body.includes(0)
    from.push(offset)
    bytes.push(isText ? body.length : 0)
    binary.push(isText ? null : body.toString('hex'))
    if (!isText) continue
    texts.push(body)
    offset += body.length
  }
  return { text: Buffer.concat(texts).toString('utf8'), from, bytes, binary }
}
