import type { DeliveryId, LeaseRef } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { isOwnLease, leaseArrays, lockAsked, noRoom } from './lease-arrays.ts'
import { byDelivery, type OfMachine } from './of-machine.ts'

export type Renewed = { id: DeliveryId; cancelReason: string | null }

/**
 * Moves the end of leases on by the database's clock. A delivery that stalled while its machine was away runs again;
 * one that went back to pending before its start was heard of is leased again, as long as nobody has overtaken its
 * fence. Answers what is still this machine's, with the reason of a cancel that was asked for.
 */
export async function renewLeases(
  db: Db,
  leases: OfMachine<LeaseRef>[],
  leaseMs: number,
): Promise<Map<DeliveryId, Renewed>> {
  if (leases.length === 0) return new Map()
  const { rows } = await sql<{
    id: DeliveryId
    cancel_requested_at: Date | null
    cancel_reason: string | null
  }>`
    with asked as (select * from ${leaseArrays(byDelivery(leases))}),
    ${lockAsked},
    renewed as (
      update deliveries d set
        lease_expires_at = now() + ${leaseMs}::int * interval '1 ms',
        state = case d.state when 'stalled' then 'running' when 'pending' then 'leased' else d.state end,
        state_since = case when d.state in ('stalled', 'pending') then now() else d.state_since end,
        reason = null, reason_message = null
      from locked
      where d.id = locked.id and ${isOwnLease}
        and (locked.own_state in ('leased', 'running', 'stalled')
          or (locked.own_state = 'pending' and locked.accepted_at is not null and not exists (${noRoom})))
      returning d.id, d.run_id, d.state, d.cancel_requested_at, d.cancel_reason
    ),
    found as (
      update runs r set state = 'starting', message = null
      from renewed where r.id = renewed.run_id and renewed.state = 'leased' and r.state = 'lost' and r.finish_key is null
    )
    select id, cancel_requested_at, cancel_reason from renewed`.execute(db)
  return new Map(
    rows.map((row) => [
      row.id,
      { id: row.id, cancelReason: row.cancel_requested_at ? (row.cancel_reason ?? 'cancelled') : null },
    ]),
  )
}
