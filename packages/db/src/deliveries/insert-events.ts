import type { DeliveryId, IgnoredReason, MachineId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { findFirst } from './find-first.ts'
import { insertDeliveries, isQueued, type PlacedDelivery } from './insert-deliveries.ts'
import type { InsertedEvent, NewEvent } from './new-event.ts'
import { packBodies } from './pack-bodies.ts'

/**
 * Commits events and their deliveries together in one statement and one commit, whatever their number: the group
 * commit of the intake. An event whose (scope, key) is known is left out with all its deliveries; the answer then
 * names the first one. Answers come in the order of the input.
 *
 * Bodies travel as one text cut apart by byte offsets on the server: an array of text would be escaped quote by quote.
 */
export async function insertEvents(db: Db, events: NewEvent[], leaseMs: number): Promise<InsertedEvent[]> {
  // One order of keys for everybody: two statements with the same keys would otherwise wait for each other.
  const placed = events.map((event, place) => ({ event, place, key: keyOf(event) })).sort(byKey)
  const ordered = placed.map(({ event }) => event)
  const deliveries = placed.flatMap(({ event, place }) =>
    event.deliveries.map((delivery): PlacedDelivery => ({ ...delivery, event, place })),
  )
  const rows = await insertRows(db, ordered, deliveries, leaseMs)
  const inserted = rowsByEvent(rows)
  const repeats = ordered.filter((event) => !inserted.has(event.id))
  const first = repeats.length === 0 ? new Map<string, InsertedEvent>() : await findFirst(db, repeats)
  const isWithout = ordered.filter(
    (event) => event.deliveries.length > 0 && inserted.get(event.id)?.length === 0,
  )
  const others = rows.filter((row) => row.kind === 'coalesced' || row.kind === 'replaced')
  if (isWithout.length > 0) await explainWithout(db, isWithout, others)
  return events.map((event) => {
    const own = inserted.get(event.id)
    if (own) return insertedEvent(event, own, others)
    const known = first.get(keyOf(event))
    if (!known)
      throw new Error(`The first event of ${event.dedupScope} ${event.dedupKey} went away while it was read.`)
    return known
  })
}

const keyOf = (event: NewEvent) => `${event.dedupScope}\n${event.dedupKey}`
const byKey = (one: { key: string }, other: { key: string }) =>
  one.key < other.key ? -1 : one.key > other.key ? 1 : 0

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

async function insertRows(
  db: Db,
  events: NewEvent[],
  deliveries: PlacedDelivery[],
  leaseMs: number,
): Promise<ResultRow[]> {
  const fresh = events.filter((event) => !event.stored)
  const stored = events.filter((event) => event.stored)
  const bodies = packBodies(fresh.map((event) => event.body))
  const queue = insertDeliveries(deliveries, leaseMs)
  // All others are answered by the row of their delivery.
  const unsure = events.filter((event) => !event.deliveries.some(isQueued))
  const { rows } = await sql<ResultRow>`
    with packed as materialized (select convert_to(${bodies.text}::text, 'UTF8') as bytes),
    ${stored.length > 0 ? sql`made_events` : sql`new_events`} as (
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
    )${stored.length > 0 ? takeUp(stored) : sql``}${queue.tables}
    select 'event' as kind, id, null as run_id, id as event_id, 0::bigint as fence, null as overlap_key,
      null as machine_id, false as must_stop from new_events
    where id = any(${unsure.map((event) => event.id)}::text[])${queue.rows}`.execute(db)
  return rows
}

/** Events that were stored before they were decided about. */
const takeUp = (stored: NewEvent[]) => sql`,
    taken_up as (
      update events set state = 'matched', job_id = x.job_id, trigger_id = x.trigger_id
      from unnest(${stored.map((e) => e.id)}::text[], ${stored.map((e) => e.jobId)}::text[],
        ${stored.map((e) => e.triggerId)}::text[]) as x (id, job_id, trigger_id)
      where events.id = x.id and events.state = 'accepted'
      returning events.id
    ),
    new_events as materialized (select id from made_events union all select id from taken_up)`

/** Of each event that was inserted, the rows of deliveries that name it. */
function rowsByEvent(rows: ResultRow[]): Map<string, ResultRow[]> {
  const inserted = new Map<string, ResultRow[]>()
  for (const row of rows) {
    if (row.kind === 'event') inserted.set(row.id, [])
    else if (row.kind === 'delivery') inserted.set(row.event_id, [...(inserted.get(row.event_id) ?? []), row])
    else inserted.get(row.event_id)?.push(row)
  }
  return inserted
}

/** `own`: the deliveries that name this event; `others`: all of the batch that its overlap keys may have touched. */
function insertedEvent(event: NewEvent, own: ResultRow[], others: ResultRow[]): InsertedEvent {
  const keys = event.deliveries.map((delivery) => delivery.rules?.overlapKey ?? null)
  const touched = others.filter((row) => row.overlap_key !== null && keys.includes(row.overlap_key))
  const deliveries = [
    ...own.filter((row) => row.kind === 'delivery'),
    ...touched.filter((row) => row.kind === 'coalesced'),
  ]
  return {
    eventId: event.id,
    inserted: true,
    bodyHash: event.bodyHash,
    deliveries: deliveries.map(({ id, run_id, fence }) => ({ id: id as DeliveryId, runId: run_id, fence })),
    replaced: touched
      .filter((row) => row.kind === 'replaced')
      .map((row) => ({
        id: row.id as DeliveryId,
        machineId: row.machine_id,
        runId: row.run_id,
        fence: row.fence,
        mustStop: row.must_stop,
      })),
  }
}

async function explainWithout(db: Db, events: NewEvent[], others: ResultRow[]): Promise<void> {
  const reasons = events.map(
    (event): IgnoredReason =>
      event.deliveries.some((delivery) => delivery.rules?.overlap === 'coalesce')
        ? 'coalesced'
        : 'overlap_skipped',
  )
  const into = events.map((event) => insertedEvent(event, [], others).deliveries[0]?.id ?? null)
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
