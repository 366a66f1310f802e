import type { DeliveryId, DeliveryState, LeaseRef, MachineId, OrganizationId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'

export type CancelResult = {
  state: DeliveryState
  machineId: MachineId
  runId: RunId
  fence: number
  /** The machine holds it and must end it. */
  mustStop: boolean
}

/** Cancels that a machine was asked for and has not reported yet, with their reasons. */
export async function listAskedCancels(
  db: Db,
  machineId: MachineId,
): Promise<(LeaseRef & { reason: string })[]> {
  const { rows } = await sql<{ id: DeliveryId; run_id: RunId; fence: number; cancel_reason: string | null }>`
    select id, run_id, fence, cancel_reason from deliveries
    where machine_id = ${machineId} and state in ('leased', 'running', 'stalled') and cancel_requested_at is not null
      and accepted_at is not null`.execute(db)
  return rows.map((row) => ({
    deliveryId: row.id,
    runId: row.run_id,
    fence: row.fence,
    reason: row.cancel_reason ?? 'It was cancelled.',
  }))
}

/**
 * Asks for a cancel. What no machine has accepted is cancelled at once; what one holds is cancelled when it says that
 * the processes are gone. Null: no such delivery in this organization. A finished one is answered as it is.
 */
export async function requestCancel(
  db: Db,
  organizationId: OrganizationId,
  id: DeliveryId,
  reason: string,
): Promise<CancelResult | null> {
  const { rows } = await sql<{
    state: DeliveryState
    machine_id: MachineId
    run_id: RunId
    fence: number
    accepted_at: Date | null
  }>`
    with asked as (
      update deliveries set
        cancel_requested_at = coalesce(cancel_requested_at, now()),
        cancel_reason = coalesce(cancel_reason, ${reason}::text),
        state = case when accepted_at is null or state in ('pending', 'parked') then 'cancelled' else state end,
        state_since = case when accepted_at is null or state in ('pending', 'parked') then now() else state_since end,
        lease_expires_at = case when accepted_at is null or state in ('pending', 'parked') then null
          else lease_expires_at end,
        finished_at = case when accepted_at is null or state in ('pending', 'parked') then now() end,
        parked_until = null,
        reason = 'cancelled', reason_message = ${reason}::text
      where id = ${id} and organization_id = ${organizationId}
        and state in ('pending', 'leased', 'running', 'stalled', 'parked')
      returning id, organization_id, event_id, job_id, state, machine_id, run_id, fence, accepted_at
    ),
    ${queueDispatches('asked', 'finished')}
    select state, machine_id, run_id, fence, accepted_at from asked
    union all
    select state, machine_id, run_id, fence, accepted_at from deliveries
    where id = ${id} and organization_id = ${organizationId} and not exists (select from asked)`.execute(db)
  const row = rows[0]
  if (!row) return null
  return {
    state: row.state,
    machineId: row.machine_id,
    runId: row.run_id,
    fence: row.fence,
    mustStop: row.state === 'leased' || row.state === 'running' || row.state === 'stalled',
  }
}
