import type { LeaseRef } from '@baton/protocol'
import { sql } from 'kysely'

/** Leases as a table `asked (delivery_id, run_id, fence)` for a statement that works on many at once. */
export function leaseArrays(leases: readonly LeaseRef[]) {
  return sql`unnest(
    ${leases.map((lease) => lease.deliveryId)}::text[],
    ${leases.map((lease) => lease.runId)}::text[],
    ${leases.map((lease) => lease.fence)}::bigint[]
  ) as asked (delivery_id, run_id, fence)`
}

/** Live deliveries that hold the lane or the one-at-a-time key of `d`, so that `d` cannot come back to life beside them. */
export const othersInItsLane = sql`
  select from deliveries o where o.id <> d.id and o.state in ('leased', 'running', 'stalled')
    and ((o.machine_id = d.machine_id and o.lane = d.lane)
      or (d.concurrency_limit = 1 and o.concurrency_limit = 1 and o.concurrency_key = d.concurrency_key))`
