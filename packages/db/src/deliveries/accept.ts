import type { DeliveryId, LeaseRef } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import { isOwnLease, leaseArrays, lockAsked } from './lease-arrays.ts'
import { byDelivery, type OfMachine } from './of-machine.ts'

/**
 * Turns leases into runs: their machines have them on their disks. Answers the deliveries that were accepted; accepting
 * one twice changes nothing. A delivery that is missing in the answer has lost its lease or was cancelled. A delivery is
 * named at most once.
 */
export async function acceptDeliveries(
  db: Db,
  leases: OfMachine<LeaseRef>[],
  leaseMs: number,
): Promise<Set<DeliveryId>> {
  const { rows } = await sql<{ id: DeliveryId }>`
    with asked as (select * from ${leaseArrays(byDelivery(leases))}),
    ${lockAsked},
    accepted as (
      update deliveries d set
        attempt = case when d.accepted_at is null then d.attempt + 1 else d.attempt end,
        accepted_at = coalesce(d.accepted_at, now()),
        lease_expires_at = now() + ${leaseMs}::int * interval '1 ms'
      from locked
      where d.id = locked.id and ${isOwnLease} and locked.own_state in ('leased', 'running')
        and locked.cancel_requested_at is null
      returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.agent_id, d.run_id, d.fence, d.state,
        d.attempt, d.leased_at, d.workspace
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
