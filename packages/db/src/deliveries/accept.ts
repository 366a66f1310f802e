import type { DeliveryId, LeaseRef, MachineId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import { leaseArrays, lockDeliveries } from './lease-arrays.ts'

/**
 * Turns leases into runs: the machine has them on its disk. Answers the deliveries that were accepted; accepting one
 * twice changes nothing. A delivery that is missing in the answer has lost its lease or was cancelled.
 */
export async function acceptDeliveries(
  db: Db,
  machineId: MachineId,
  leases: LeaseRef[],
  leaseMs: number,
): Promise<Set<DeliveryId>> {
  const { rows } = await sql<{ id: DeliveryId }>`
    with asked as (select * from ${leaseArrays(leases)}),
    ${lockDeliveries(leases.map((lease) => lease.deliveryId))},
    accepted as (
      update deliveries d set
        attempt = case when d.accepted_at is null then d.attempt + 1 else d.attempt end,
        accepted_at = coalesce(d.accepted_at, now()),
        lease_expires_at = now() + ${leaseMs}::int * interval '1 ms'
      from asked join locked on locked.id = asked.delivery_id
      where d.id = locked.id and d.fence = asked.fence and d.run_id = asked.run_id
        and d.machine_id = ${machineId} and d.state in ('leased', 'running') and d.cancel_requested_at is null
      returning d.*
    ),
    made as (
      insert into runs (id, organization_id, delivery_id, machine_id, agent_id, job_id, attempt, fence, leased_at,
        last_hash, workspace)
      select run_id, organization_id, id, machine_id, agent_id, job_id, attempt, fence, leased_at,
        encode(sha256(convert_to(run_id, 'UTF8')), 'hex'), workspace
      from accepted
      on conflict (id) do nothing
    ),
    ${queueDispatches('accepted', 'accepted')}
    select id from accepted`.execute(db)
  return new Set(rows.map((row) => row.id))
}
