import type {
  DeliveryId,
  DispatchId,
  EventId,
  JobId,
  MachineId,
  OrganizationId,
  OutputId,
  OutputKind,
  OutputMoment,
  OutputText,
  RunId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** A dispatch that this caller alone may send until its claim ends. */
export type DispatchClaim = {
  id: DispatchId
  claim: number
  kind: OutputKind
  /** Null for an effect that belongs to no output. */
  moment: OutputMoment | null
  organizationId: OrganizationId
  outputId: OutputId | null
  jobId: JobId | null
  deliveryId: DeliveryId | null
  runId: RunId | null
  eventId: EventId | null
  key: string
  config: Record<string, unknown>
  text: OutputText | null
  sealedSecrets: string | null
  tries: number
  firstTriedAt: Date
  externalId: string | null
  /** An earlier try may have arrived: its answer was lost, or whoever sent it was. */
  unconfirmed: boolean
  /** Why it is sent although its moment did not come. */
  cause: string | null
  /** The output was switched off or removed since. */
  off: string | null
}

/** A batch that is under way comes on top. */
const SENT_PER_MINUTE = 60

export type ClaimOptions = { limit: number; claimMs: number; machineId?: MachineId }

/**
 * Takes dispatches whose time has come, and those whose claim ended without a report. Any number of relays claim at the
 * same time and no row goes to two of them. An output that has sent as much as it may in a minute waits for the next one, so
 * that a loop of events floods nobody. With `machineId` those that this machine's runner carries out, else those
 * that a relay sends.
 */
export async function claimDispatches(db: Db, options: ClaimOptions): Promise<DispatchClaim[]> {
  const whose = options.machineId ? sql`machine_id = ${options.machineId}` : sql`machine_id is null`
  const isDue = sql`state in ('pending', 'sending') and ${whose} and next_at <= now()`
  // Counted once for an output and not once for each row of it: a loop makes many.
  const { rows } = await sql<Row>`
    with rested as materialized (
      select w.output_id from (select distinct output_id from dispatches where ${isDue}) w
      where (select count(*) from (select from dispatches s where s.output_id = w.output_id
        and s.sent_at > now() - interval '1 minute' limit ${SENT_PER_MINUTE}::int) as sent) >= ${SENT_PER_MINUTE}::int
    ),
    due as materialized (
      select id, unconfirmed from dispatches d
      where ${isDue} and (output_id is null or output_id not in (select output_id from rested))
      order by next_at limit ${options.limit}::int for update skip locked
    ),
    claimed as (
      update dispatches d set state = 'sending', claim = d.claim + 1, tries = d.tries + 1, unconfirmed = true,
        first_tried_at = coalesce(d.first_tried_at, now()),
        next_at = now() + ${options.claimMs}::int * interval '1 ms'
      from due where d.id = due.id
      returning d.*, due.unconfirmed as was_unconfirmed
    )
    select c.id, c.claim, c.kind, c.organization_id, c.output_id, c.job_id, c.delivery_id, c.run_id, c.event_id, c.key,
      c.tries, c.first_tried_at, c.external_id, c.was_unconfirmed, c.cause, coalesce(c.config, o.config, '{}') as config,
      o.message, o.secrets, o.moment,
      case when o.deleted_at is not null then 'Its output was removed.'
        when o.disabled_at is not null then coalesce(o.disabled_reason, 'Its output is switched off.') end as off
    from claimed c left join outputs o on o.id = c.output_id`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    claim: row.claim,
    kind: row.kind,
    moment: row.moment,
    organizationId: row.organization_id,
    outputId: row.output_id,
    jobId: row.job_id,
    deliveryId: row.delivery_id,
    runId: row.run_id,
    eventId: row.event_id,
    key: row.key,
    config: row.config,
    text: row.message,
    sealedSecrets: row.secrets,
    tries: row.tries,
    firstTriedAt: row.first_tried_at,
    externalId: row.external_id,
    unconfirmed: row.was_unconfirmed,
    cause: row.cause,
    off: row.off,
  }))
}

/** Of these machines those for which something is due. */
export async function listMachinesWithDispatches(db: Db, machines: MachineId[]): Promise<MachineId[]> {
  if (machines.length === 0) return []
  const { rows } = await sql<{ machine_id: MachineId }>`
    select m.machine_id from unnest(${machines}::text[]) as m (machine_id)
    where exists (select from dispatches d where d.machine_id = m.machine_id and d.state in ('pending', 'sending')
      and d.next_at <= now())`.execute(db)
  return rows.map((row) => row.machine_id)
}

/** How often these orders of a machine were tried. One of another machine is not among them. */
export async function findOrderTries(
  db: Db,
  machineId: MachineId,
  ids: DispatchId[],
): Promise<Map<DispatchId, number>> {
  const rows = await db
    .selectFrom('dispatches')
    .select(['id', 'tries'])
    .where('id', 'in', ids)
    .where('machine_id', '=', machineId)
    .execute()
  return new Map(rows.map((row) => [row.id, row.tries]))
}

type Row = {
  id: DispatchId
  claim: number
  kind: OutputKind
  organization_id: OrganizationId
  output_id: OutputId | null
  job_id: JobId | null
  delivery_id: DeliveryId | null
  run_id: RunId | null
  event_id: EventId | null
  key: string
  tries: number
  first_tried_at: Date
  external_id: string | null
  was_unconfirmed: boolean
  cause: string | null
  config: Record<string, unknown>
  message: OutputText | null
  secrets: string | null
  off: string | null
  moment: OutputMoment | null
}
