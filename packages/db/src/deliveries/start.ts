import type { DeliveryId, MachineId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import { lockDeliveries, noRoom } from './lease-arrays.ts'

export type Start = { deliveryId: DeliveryId; runId: RunId; fence: number; agoMs: number; workspace: string }

/**
 * The agents' processes exist: the deliveries are running. Also late, for a lease that lapsed meanwhile, as long as
 * nobody has overtaken its fence. Answers the deliveries for which this is still true.
 */
export async function startRuns(
  db: Db,
  machineId: MachineId,
  starts: Start[],
  leaseMs: number,
): Promise<Set<DeliveryId>> {
  const { rows } = await sql<{ id: DeliveryId }>`
    with asked as (
      select * from unnest(
        ${starts.map((s) => s.deliveryId)}::text[], ${starts.map((s) => s.runId)}::text[],
        ${starts.map((s) => s.fence)}::bigint[], ${starts.map((s) => Math.round(s.agoMs))}::bigint[],
        ${starts.map((s) => s.workspace)}::text[]
      ) as asked (delivery_id, run_id, fence, ago_ms, workspace)
    ),
    ${lockDeliveries(starts.map((start) => start.deliveryId))},
    started as (
      update deliveries d set state = 'running', reason = null, reason_message = null,
        state_since = case when d.state = 'running' then d.state_since else now() end,
        lease_expires_at = now() + ${leaseMs}::int * interval '1 ms'
      from asked join locked on locked.id = asked.delivery_id
      where d.id = locked.id and d.fence = asked.fence and d.machine_id = ${machineId}
        and d.run_id = asked.run_id and d.accepted_at is not null
        and (d.state in ('leased', 'running', 'stalled') or (d.state = 'pending' and not exists (${noRoom})))
      returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state
    ),
    run_started as (
      update runs r set state = 'running', workspace = asked.workspace, message = null, outcome = null, error_kind = null,
        finished_at = null,
        started_at = coalesce(r.started_at, greatest(r.accepted_at, now() - asked.ago_ms * interval '1 ms'))
      from started join asked on asked.run_id = started.run_id
      where r.id = started.run_id and r.state in ('starting', 'running', 'lost') and r.finish_key is null
    ),
    ${queueDispatches('started', 'started')}
    select id from started`.execute(db)
  return new Set(rows.map((row) => row.id))
}
