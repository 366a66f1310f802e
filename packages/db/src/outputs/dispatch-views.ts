import {
  type DeliveryId,
  DISPATCH_TRIES,
  type DispatchDetail,
  type DispatchId,
  type DispatchState,
  type DispatchTry,
  type DispatchView,
  type EventId,
  type JobId,
  type MachineState,
  type OrganizationId,
  type OutputId,
  type OutputKind,
  type OutputMoment,
  type RunId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { dispatchSentence } from './dispatch-sentence.ts'
import { outputTarget } from './output-target.ts'

export type DispatchFilter = {
  id?: DispatchId | undefined
  deliveryId?: DeliveryId | undefined
  eventId?: EventId | undefined
  jobId?: JobId | undefined
  outputId?: OutputId | undefined
  states?: readonly DispatchState[] | undefined
  before?: DispatchId | undefined
  limit: number
}

/** Dispatches of an organization, newest first. */
export async function listDispatchViews(
  db: Db,
  organizationId: OrganizationId,
  filter: DispatchFilter,
): Promise<DispatchDetail[]> {
  const { rows } = await sql<Row>`
    ${columns}
    where d.organization_id = ${organizationId}
      ${filter.id ? sql`and d.id = ${filter.id}` : sql``}
      ${filter.deliveryId ? sql`and d.delivery_id = ${filter.deliveryId}` : sql``}
      ${filter.eventId ? sql`and d.event_id = ${filter.eventId}` : sql``}
      ${filter.jobId ? sql`and d.job_id = ${filter.jobId}` : sql``}
      ${filter.outputId ? sql`and d.output_id = ${filter.outputId}` : sql``}
      ${filter.states ? sql`and d.state = any(${[...filter.states]}::text[])` : sql``}
      ${filter.before ? sql`and d.id < ${filter.before}` : sql``}
    order by d.id desc limit ${filter.limit}::int`.execute(db)
  return rows.map(toDispatchDetail)
}

/** What ended lately without having been sent, newest first. */
export async function listTroubledDispatches(
  db: Db,
  organizationId: OrganizationId,
  options: { sinceMs: number; limit: number },
): Promise<DispatchDetail[]> {
  const { rows } = await sql<Row>`
    ${columns}
    where d.organization_id = ${organizationId} and d.state in ('failed', 'dead')
      and d.finished_at > now() - ${options.sinceMs}::bigint * interval '1 ms'
    order by d.id desc limit ${options.limit}::int`.execute(db)
  return rows.map(toDispatchDetail)
}

const columns = sql`
  select d.*, o.moment, o.disabled_at is null as output_enabled, coalesce(d.config, o.config, '{}') as target_config,
    j.key as job_key, m.name as machine_name, machine_state(m) as machine_state, now() as asked_at
  from dispatches d left join outputs o on o.id = d.output_id left join jobs j on j.id = d.job_id
    left join machines m on m.id = d.machine_id`

const time = (date: Date | null) => date?.getTime() ?? null

function toDispatchDetail(row: Row): DispatchDetail {
  return {
    id: row.id,
    kind: row.kind,
    on: row.moment,
    // What was written says more than the template of its path.
    target:
      row.kind === 'file' && row.external_id !== null
        ? row.external_id
        : outputTarget(row.kind, row.target_config),
    state: row.state,
    sentence: dispatchSentence({
      state: row.state,
      kind: row.kind,
      tries: row.tries,
      inMs: row.next_at === null ? null : row.next_at.getTime() - row.asked_at.getTime(),
      lastError: row.last_error,
      machine:
        row.machine_name && row.machine_state ? { name: row.machine_name, state: row.machine_state } : null,
      maybeRepeated: row.maybe_repeated,
    }),
    tries: row.tries,
    maxTries: DISPATCH_TRIES,
    nextAt: time(row.next_at),
    lastError: row.last_error,
    maybeRepeated: row.maybe_repeated,
    externalId: row.external_id,
    url: row.url,
    content: row.content,
    output: row.output_id ? { id: row.output_id, enabled: row.output_enabled === true } : null,
    job: row.job_id && row.job_key ? { id: row.job_id, key: row.job_key } : null,
    deliveryId: row.delivery_id,
    runId: row.run_id,
    eventId: row.event_id,
    createdAt: row.created_at.getTime(),
    sentAt: time(row.sent_at),
    attempts: row.attempts,
  }
}

/** A row of a list: without the tries. */
export function toDispatchView(detail: DispatchDetail): DispatchView {
  const { attempts: _, ...view } = detail
  return view
}

type Row = {
  id: DispatchId
  kind: OutputKind
  moment: OutputMoment | null
  target_config: Record<string, unknown>
  state: DispatchState
  tries: number
  next_at: Date | null
  asked_at: Date
  last_error: string | null
  maybe_repeated: boolean
  external_id: string | null
  url: string | null
  content: string | null
  output_id: OutputId | null
  output_enabled: boolean | null
  job_id: JobId | null
  job_key: string | null
  machine_name: string | null
  machine_state: MachineState | null
  delivery_id: DeliveryId | null
  run_id: RunId | null
  event_id: EventId | null
  attempts: DispatchTry[]
  created_at: Date
  sent_at: Date | null
}
