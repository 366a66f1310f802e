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
