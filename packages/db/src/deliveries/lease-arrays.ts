import type { DeliveryId, LeaseRef } from '@baton/protocol'
import { sql } from 'kysely'

/** Leases as a table `asked (delivery_id, run_id, fence)` for a statement that works on many at once. */
export function leaseArrays(leases: readonly LeaseRef[]) {
  return sql`unnest(
    ${leases.map((lease) => lease.deliveryId)}::text[],
    ${leases.map((lease) => lease.runId)}::text[],
    ${leases.map((lease) => lease.fence)}::bigint[]
  ) as asked (delivery_id, run_id, fence)`
}

/**
 * Locks the deliveries of a statement in the order of their ids, before anything else is locked: two statements with the
 * same deliveries in another order would otherwise wait for each other. Deliveries are always locked before runs.
 */
export const lockDeliveries = (ids: readonly DeliveryId[]) => sql`
  locked as materialized (
    select id, agent_id, attempt, max_attempts, repeatable, recovered, cancel_requested_at from deliveries
    where id = any(${ids}::text[]) order by id for update
  )`

const isAliveOrNewer = sql`(o.state in ('leased', 'running', 'stalled')
  or (o.state = 'pending' and o.accepted_at is not null and o.fence > d.fence))`

/**
 * What keeps the accepted delivery `d` from coming back to life: others hold its lane or its key, or its agent has no
 * room. Another accepted one with a newer lease goes before it.
 */
export const noRoom = sql`
  select from deliveries o where o.id <> d.id and ${isAliveOrNewer}
    and ((o.machine_id = d.machine_id and o.lane = d.lane)
      or (d.concurrency_limit = 1 and o.concurrency_limit = 1 and o.concurrency_key = d.concurrency_key))
  union all
  select from agents a where a.id = d.agent_id and a.max_concurrent <= (
    select count(*) from deliveries o where o.id <> d.id and o.machine_id = d.machine_id and o.agent_id = d.agent_id
      and ${isAliveOrNewer})`
