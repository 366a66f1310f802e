import type { DeliveryId, DeliveryState, HeldDelivery, MachineId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'

export type HeldState = {
  deliveryId: DeliveryId
  runId: RunId
  state: DeliveryState | null
  /** No newer lease has been granted. */
  current: boolean
  runFinished: boolean
  cancelReason: string | null
  ackedSeq: number
}

/** How the relay sees what a machine says it holds, in the order of the input. */
export async function findHeldStates(
  db: Db,
  machineId: MachineId,
  held: HeldDelivery[],
): Promise<HeldState[]> {
  if (held.length === 0) return []
  const { rows } = await sql<{
    delivery_id: DeliveryId
    run_id: RunId
    state: DeliveryState | null
    current: boolean
    run_finished: boolean
    cancel_reason: string | null
    acked_seq: number
  }>`
    select asked.delivery_id, asked.run_id, d.state,
      coalesce(d.fence = asked.fence, false) as current,
      r.finish_key is not null as run_finished,
      case when d.cancel_requested_at is not null then coalesce(d.cancel_reason, 'cancelled') end as cancel_reason,
      coalesce(r.last_seq, 0) as acked_seq
    from unnest(
      ${held.map((h) => h.deliveryId)}::text[], ${held.map((h) => h.runId)}::text[], ${held.map((h) => h.fence)}::bigint[]
    ) with ordinality as asked (delivery_id, run_id, fence, place)
    -- One by one by their ids: a join could read all that the machine ever had.
    left join lateral (
      select state, fence, cancel_requested_at, cancel_reason from deliveries
      where id = asked.delivery_id and machine_id is not distinct from ${machineId} limit 1) d on true
    left join lateral (
      select finish_key, last_seq from runs
      where id = asked.run_id and machine_id is not distinct from ${machineId} limit 1) r on true
    order by asked.place`.execute(db)
  return rows.map((row) => ({
    deliveryId: row.delivery_id,
    runId: row.run_id,
    state: row.state,
    current: row.current,
    runFinished: row.run_finished,
    cancelReason: row.cancel_reason,
    ackedSeq: row.acked_seq,
  }))
}

/**
 * The machine is back and does not know these accepted deliveries any more (its disk was wiped or it was reinstalled):
 * their runs are lost. What never started, or may be repeated, is offered again; the rest has failed. What was pushed to
 * another installation before this one took over, and not accepted, is offered anew: the old lease is nobody's.
 */
export async function loseDeliveries(
  db: Db,
  machineId: MachineId,
  stillHeld: DeliveryId[],
): Promise<DeliveryId[]> {
  const { rows } = await sql<{ id: DeliveryId }>`
    with locked as materialized (
      select id from deliveries
      where machine_id = ${machineId} and state in ('leased', 'running', 'stalled') and accepted_at is not null
        and id <> all(${stillHeld}::text[])
      order by id for update
    ),
    gone as (
      update deliveries d set
        state = case
          when d.cancel_requested_at is not null then 'cancelled'
          when d.attempt < d.max_attempts and (d.repeatable or d.state = 'leased') then 'pending'
          else 'failed' end,
        state_since = now(), lease_expires_at = null, accepted_at = null, reason = 'lost',
        reason_message = 'The machine came back without this run.',
        finished_at = case when d.cancel_requested_at is null and d.attempt < d.max_attempts
          and (d.repeatable or d.state = 'leased') then null else now() end
      from locked where d.id = locked.id and d.state in ('leased', 'running', 'stalled') and d.accepted_at is not null
      returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state
    ),
    lost as (
      update runs r set state = 'lost', outcome = 'error', error_kind = 'lost', finished_at = now(),
        message = 'The machine came back without this run.'
      from gone where r.id = gone.run_id and r.finish_key is null
    ),
    not_accepted as materialized (
      select d.id from deliveries d join machines m on m.id = d.machine_id
      where d.machine_id = ${machineId} and d.state = 'leased' and d.accepted_at is null
        and d.leased_at <= m.taken_over_at and d.id <> all(${stillHeld}::text[])
      order by d.id for update of d
    ),
    given_back as (
      update deliveries d set state = 'pending', state_since = now(), lease_expires_at = null, reason = 'not_accepted',
        reason_message = 'Another installation took its machine over; it is offered there.'
      from not_accepted n where d.id = n.id and d.state = 'leased' and d.accepted_at is null
    ),
    ${queueDispatches('gone', 'finished')}
    select id from gone`.execute(db)
  return rows.map((row) => row.id)
}
