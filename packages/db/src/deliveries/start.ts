import type { DeliveryId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import { isOwnLease, lockAsked, noRoom } from './lease-arrays.ts'
import { byDelivery, type OfMachine } from './of-machine.ts'

export type Start = { deliveryId: DeliveryId; runId: RunId; fence: number; agoMs: number; workspace: string }

/**
 * The agents' processes exist: the deliveries are running. Also late, for a lease that lapsed meanwhile, as long as
 * nobody has overtaken its fence. Answers the deliveries for which this is still true. A delivery is named at most once.
 */
export async function startRuns(
  db: Db,
  unordered: OfMachine<Start>[],
  leaseMs: number,
): Promise<Set<DeliveryId>> {
  const starts = byDelivery(unordered)
  const { rows } = await sql<{ id: DeliveryId }>`
    with asked as (
      select * from unnest(
        ${starts.map((s) => s.deliveryId)}::text[], ${starts.map((s) => s.runId)}::text[],
        ${starts.map((s) => s.fence)}::bigint[], ${starts.map((s) => s.machineId)}::text[],
        ${starts.map((s) => Math.round(s.agoMs))}::bigint[], ${starts.map((s) => s.workspace)}::text[]
      ) as asked (delivery_id, run_id, fence, machine_id, ago_ms, started_in)
    ),
    ${lockAsked},
    started as (
      update deliveries d set state = 'running', reason = null, reason_message = null,
        state_since = case when d.state = 'running' then d.state_since else now() end,
        lease_expires_at = now() + ${leaseMs}::int * interval '1 ms'
      from locked
      where d.id = locked.id and ${isOwnLease} and locked.accepted_at is not null
        and (locked.own_state in ('leased', 'running', 'stalled')
          or (locked.own_state = 'pending' and not exists (${noRoom})))
      returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state,
        locked.ago_ms, locked.started_in
    ),
    run_started as (
      update runs r set state = 'running', workspace = started.started_in, message = null, outcome = null,
        error_kind = null, finished_at = null,
        started_at = coalesce(r.started_at, greatest(r.accepted_at, now() - started.ago_ms * interval '1 ms'))
      from started
      where r.id = started.run_id and r.state in ('starting', 'running', 'lost') and r.finish_key is null
    ),
    ${queueDispatches('started', 'started')}
    select id from started`.execute(db)
  return new Set(rows.map((row) => row.id))
}
