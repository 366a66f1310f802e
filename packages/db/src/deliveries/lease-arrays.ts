import type { LeaseRef } from '@baton/protocol'
import { sql } from 'kysely'
import type { OfMachine } from './of-machine.ts'

/** Leases as a table `asked (delivery_id, run_id, fence, machine_id)`, in the order of `byDelivery`. */
export function leaseArrays(leases: readonly OfMachine<LeaseRef>[]) {
  return sql`unnest(
    ${leases.map((lease) => lease.deliveryId)}::text[], ${leases.map((lease) => lease.runId)}::text[],
    ${leases.map((lease) => lease.fence)}::bigint[], ${leases.map((lease) => lease.machineId)}::text[]
  ) as asked (delivery_id, run_id, fence, machine_id)`
}

/**
 * Locks the deliveries of `asked` in its order, before anything else is locked (deliveries always before runs), and says
 * what they are now. Everything after reads this table: their own columns are no conditions of an index here, so each is
 * found by its id, however many others its machine has.
 */
export const lockAsked = sql`
  locked as materialized (
    select asked.*, d.* from asked left join lateral (
      select id, fence as own_fence, run_id as own_run, machine_id as own_machine, state as own_state,
        accepted_at, attempt, max_attempts, repeatable, recovered, cancel_requested_at
      from deliveries where id = asked.delivery_id for update
    ) d on true
  )`

/** The lease that a machine names is still the delivery's newest, and its own. */
export const isOwnLease = sql`(locked.own_fence = locked.fence and locked.own_run = locked.run_id
  and locked.own_machine = locked.machine_id)`

/** Holds its lane and its place, or did before it lapsed and may come back. All of them are in `deliveries_live`. */
const isAliveOrNewer = sql`(o.state in ('leased', 'running', 'stalled')
  or (o.state = 'pending' and o.fence > 0 and o.fence > d.fence and o.accepted_at is not null))`

/**
 * What keeps the accepted delivery `d` from coming back to life: others hold its lane or its key, or its agent has no
 * room. Another accepted one with a newer lease goes before it.
 */
export const noRoom = sql`
  select from deliveries o where o.id <> d.id and o.machine_id = d.machine_id and ${isAliveOrNewer} and o.lane = d.lane
  union all
  select from deliveries o where o.id <> d.id and o.concurrency_key = d.concurrency_key and ${isAliveOrNewer}
    and d.concurrency_limit = 1 and o.concurrency_limit = 1
  union all
  select from agents a where a.id = d.agent_id and a.max_concurrent <= (
    select count(*) from deliveries o where o.id <> d.id and o.machine_id = d.machine_id and o.agent_id = d.agent_id
      and ${isAliveOrNewer})`
