import type {
  DeliveryId,
  DispatchId,
  DispatchState,
  EventId,
  JobId,
  OrganizationId,
  OutputKind,
  RunId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type Effect = {
  organizationId: OrganizationId
  kind: OutputKind
  /** The same for everybody who could ask for this effect: only the first one is stored. */
  key: string
  config: Record<string, unknown>
  jobId: JobId | null
  eventId: EventId | null
  deliveryId: DeliveryId | null
  runId: RunId | null
}

/** An effect that belongs to no output. Answers its dispatch, also when an earlier caller stored it. */
export async function insertEffect(db: Db, effect: Effect): Promise<{ id: DispatchId; inserted: boolean }> {
  const { rows } = await sql<{ id: DispatchId; inserted: boolean }>`
    with made as (
      insert into dispatches (id, organization_id, job_id, event_id, delivery_id, run_id, kind, key, config, next_at)
      values ('dsp_' || uuid7_hex(), ${effect.organizationId}, ${effect.jobId}, ${effect.eventId}, ${effect.deliveryId},
        ${effect.runId}, ${effect.kind}, ${effect.key}, ${JSON.stringify(effect.config)}::text::jsonb, now())
      on conflict (key) do nothing
      returning id
    )
    select id, true as inserted from made
    union all
    select id, false from dispatches where key = ${effect.key} and not exists (select from made)`.execute(db)
  const row = rows[0]
  // Another statement stored it after this one's snapshot: it is there now.
  return row ?? insertEffect(db, effect)
}

export type EffectState = {
  id: DispatchId
  kind: OutputKind
  key: string
  state: DispatchState
  externalId: string | null
  url: string | null
}

/** Everything that was or is to be sent for a delivery, oldest first: what a later effect changes in place. */
export async function listEffects(db: Db, deliveryId: DeliveryId): Promise<EffectState[]> {
  const { rows } = await sql<{
    id: DispatchId
    kind: OutputKind
    key: string
    state: DispatchState
    external_id: string | null
    url: string | null
  }>`
    select id, kind, key, state, external_id, url from dispatches
    where delivery_id = ${deliveryId} order by id`.execute(db)
  return rows.map(({ external_id, ...row }) => ({ ...row, externalId: external_id }))
}
