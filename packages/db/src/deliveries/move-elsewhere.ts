import type { AgentId, DeliveryId, MachineId, OrganizationId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'

export type Moved = { runId: RunId; fromMachineId: MachineId }

/**
 * A person's decision about work whose machine is away: run it with another agent. The old run is lost, and whatever
 * its machine reports later is kept on that run alone, because the next lease has a higher fence. Null: the delivery is
 * not one that waits for its machine (pending, parked or stalled) in this organization.
 */
export async function moveDelivery(
  db: Db,
  organizationId: OrganizationId,
  id: DeliveryId,
  to: { agentId: AgentId; machineId: MachineId; workspace: string | null; lane: string | null },
): Promise<Moved | null> {
  const { rows } = await sql<{ run_id: RunId; from_machine: MachineId }>`
    with old as materialized (
      select id, run_id, machine_id from deliveries
      where id = ${id} and organization_id = ${organizationId} and state in ('pending', 'parked', 'stalled')
        and cancel_requested_at is null
      for update
    ),
    lost as (
      update runs r set state = 'lost', outcome = 'error', error_kind = 'lost', finished_at = now(),
        message = 'A person gave this work to another machine.'
      from old where r.id = old.run_id and r.finish_key is null
    ),
    moved as (
      update deliveries d set state = 'pending', state_since = now(), agent_id = ${to.agentId}, machine_id = ${to.machineId},
        workspace = ${to.workspace}, lane = ${to.lane}, fence = nextval('fences'), accepted_at = null, leased_at = null, nudge = false,
        parked_until = null, reason = 'moved', reason_message = 'A person gave it to this machine.',
        max_attempts = greatest(d.max_attempts, d.attempt + 1),
        run_id = case when exists (select from runs r where r.id = d.run_id) then 'run_' || uuid7_hex() else d.run_id end
      from old where d.id = old.id
      returning d.run_id
    )
    select moved.run_id, old.machine_id as from_machine from moved, old`.execute(db)
  const row = rows[0]
  return row ? { runId: row.run_id, fromMachineId: row.from_machine } : null
}

/**
 * A person's decision not to wait any longer for the machine of a stalled run, which has failed then, or is cancelled if a
 * stop was asked for. False: it is not stalled here.
 */
export async function giveUpDelivery(
  db: Db,
  organizationId: OrganizationId,
  id: DeliveryId,
): Promise<boolean> {
  const { rows } = await sql`
    with given_up as (
      update deliveries d set state = case when d.cancel_requested_at is null then 'failed' else 'cancelled' end,
        state_since = now(), finished_at = now(), reason = 'given_up',
        reason_message = 'A person stopped waiting for its machine.', fence = nextval('fences')
      where id = ${id} and organization_id = ${organizationId} and state = 'stalled'
      returning id, organization_id, event_id, job_id, machine_id, run_id, fence, state
    ),
    ${queueDispatches('given_up', 'finished')},
    lost as (
      update runs r set state = 'lost', outcome = 'error', error_kind = 'lost', finished_at = now(),
        message = 'A person stopped waiting for its machine.'
      from given_up g where r.id = g.run_id and r.finish_key is null
    )
    select run_id from given_up`.execute(db)
  return rows.length === 1
}
