import type { DeliveryId, ErrorKind, MachineId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import { blockAccounts } from '../usage/block-accounts.ts'
import { isOwnLease, lockAsked } from './lease-arrays.ts'
import { byDelivery, ofMachine } from './of-machine.ts'

export type Refusal = {
  deliveryId: DeliveryId
  runId: RunId
  fence: number
  errorKind: ErrorKind
  message: string
  final: boolean
  retryAfterMs: number
}

/**
 * The machine does not take these. A final refusal ends the delivery as failed, with a run that says why; any other
 * puts it back, parked as long as the machine asks for. An agent that is not signed in is stopped instead: its work
 * waits for that. Answers the deliveries whose lease this still was.
 */
export async function refuseDeliveries(
  db: Db,
  machineId: MachineId,
  unordered: Refusal[],
): Promise<Set<DeliveryId>> {
  const refusals = byDelivery(ofMachine(machineId, unordered))
  const isSignedOut = refusals.some((refusal) => refusal.errorKind === 'not_signed_in')
  const blocks = isSignedOut
    ? blockAccounts(sql`
        select agent_id, error_kind as reason, message, 0::float8 as rest_ms from refused where error_kind = 'not_signed_in'`)
    : sql``
  const { rows } = await sql<{ id: DeliveryId }>`
    with asked as (
      select delivery_id, run_id, fence, machine_id, error_kind, message, final = 'yes' and error_kind <> 'not_signed_in' as final,
        case when error_kind = 'not_signed_in' then 0 else retry_ms end as retry_ms
      from unnest(
        ${refusals.map((r) => r.deliveryId)}::text[], ${refusals.map((r) => r.runId)}::text[],
        ${refusals.map((r) => r.fence)}::bigint[], ${refusals.map((r) => r.machineId)}::text[],
        ${refusals.map((r) => r.errorKind)}::text[],
        ${refusals.map((r) => r.message)}::text[], ${refusals.map((r) => (r.final ? 'yes' : 'no'))}::text[],
        ${refusals.map((r) => r.retryAfterMs)}::bigint[]
      ) as asked (delivery_id, run_id, fence, machine_id, error_kind, message, final, retry_ms)
    ),
    ${lockAsked},
    refused as (
      update deliveries d set
        state = case when locked.final then 'failed' when locked.retry_ms > 0 then 'parked' else 'pending' end,
        state_since = now(), lease_expires_at = null, accepted_at = case when locked.final then d.accepted_at end,
        attempt = case when locked.final and d.accepted_at is null then d.attempt + 1 else d.attempt end,
        finished_at = case when locked.final then now() end,
        max_attempts = d.max_attempts + case when d.accepted_at is not null and not locked.final then 1 else 0 end,
        reason = locked.error_kind, reason_message = locked.message,
        parked_until = case when not locked.final and locked.retry_ms > 0
          then now() + locked.retry_ms * interval '1 ms' end
      from locked
      where d.id = locked.id and ${isOwnLease} and locked.own_state = 'leased'
      returning d.*, locked.final, locked.error_kind, locked.message
    ),
    given_back as (
      update runs r set state = 'superseded', finished_at = now(), message = refused.message
      from refused where r.id = refused.run_id and not refused.final and r.finish_key is null
    ),
    told as (
      insert into runs (id, organization_id, delivery_id, machine_id, agent_id, job_id, attempt, fence, leased_at,
        last_hash, workspace, state, outcome, error_kind, message, finished_at)
      select run_id, organization_id, id, machine_id, agent_id, job_id, attempt, fence, leased_at,
        encode(sha256(convert_to(run_id, 'UTF8')), 'hex'), workspace, 'failed', 'error', error_kind, message, now()
      from refused where final
      on conflict (id) do update set state = 'failed', outcome = 'error', error_kind = excluded.error_kind,
        message = excluded.message, finished_at = now()
    ),
    ${queueDispatches('refused', 'finished')}${blocks}
    select id from refused`.execute(db)
  return new Set(rows.map((row) => row.id))
}
