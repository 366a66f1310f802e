import type { DeliveryId, MachineId, OrganizationId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type Swept = {
  id: DeliveryId
  organizationId: OrganizationId
  machineId: MachineId
  moved: 'unaccepted' | 'lapsed' | 'stalled' | 'expired'
}

/**
 * Moves on what waited too long, by the database's clock: a lease that nobody accepted goes back to pending, and so
 * does an accepted one that lapsed before its agent started (its run is lost); a running one is stalled until its
 * machine comes back. Any number of relays may sweep: each row moves once. At most `limit` rows a call.
 */
export async function sweepDeliveries(
  db: Db,
  options: { acceptWithinMs: number; limit: number },
): Promise<Swept[]> {
  const { rows } = await sql<{
    id: DeliveryId
    organization_id: OrganizationId
    machine_id: MachineId
    moved: Swept['moved']
  }>`
    with due as materialized (
      select id from deliveries
      where state in ('leased', 'running') and (
        lease_expires_at < now()
        or (state = 'leased' and accepted_at is null and leased_at < now() - ${options.acceptWithinMs}::int * interval '1 ms'))
      limit ${options.limit}::int
      for update skip locked
    ),
    moved as (
      update deliveries d set
        state = case when d.state = 'running' then 'stalled' else 'pending' end,
        state_since = now(), lease_expires_at = null,
        reason = case when d.state = 'running' then 'machine_away'
          when d.accepted_at is null then 'not_accepted' else 'lease_lapsed' end,
        reason_message = case when d.state = 'running'
            then 'Its machine stopped answering while the agent was running. It goes on by itself when the machine is back.'
          when d.accepted_at is null then 'The machine did not take it in time; it is offered again.'
          else 'The machine stopped answering before the agent started; it is offered again.' end
      from due where d.id = due.id
      returning d.id, d.organization_id, d.machine_id, d.run_id, d.state, d.accepted_at
    ),
    lost as (
      update runs r set state = 'lost', message = 'The machine stopped answering before the agent started.'
      from moved m where r.id = m.run_id and m.state = 'pending' and m.accepted_at is not null and r.state = 'starting'
    )
    select id, organization_id, machine_id,
      case when state = 'stalled' then 'stalled' when accepted_at is null then 'unaccepted' else 'lapsed' end as moved
    from moved`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id,
    machineId: row.machine_id,
    moved: row.moved,
  }))
}
