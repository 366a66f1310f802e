import type { ApprovalId, MachineId, OrganizationId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { isOver } from './is-held.ts'

export type SweptApproval = {
  id: ApprovalId
  organizationId: OrganizationId
  machineId: MachineId
  runId: RunId
  moved: 'expired' | 'withdrawn'
}

/**
 * Denies what nobody answered in time, by the database's clock, and tells its machine; withdraws what no run waits for any
 * more, and closes what was on its way to such a run. Any number of relays may do it: each row moves once.
 */
export async function sweepApprovals(db: Db, limit: number): Promise<SweptApproval[]> {
  const { rows } = await sql<{
    id: ApprovalId
    organization_id: OrganizationId
    machine_id: MachineId
    run_id: RunId
    moved: SweptApproval['moved']
  }>`
    with due as materialized (
      select p.id from approvals p where p.state = 'open' and p.expires_at <= now()
      order by p.id limit ${limit}::int for update skip locked
    ),
    left_over as materialized (
      select p.id from approvals p join runs r on r.id = p.run_id join deliveries d on d.id = r.delivery_id
      where p.state = 'open' and p.expires_at > now() and ${isOver}
      order by p.id limit ${limit}::int for update of p skip locked
    ),
    moved as (
      update approvals p set answered_at = now(), answered_via = 'relay',
        state = case when p.id = any(array(select id from due)) then 'expired' else 'withdrawn' end
      from runs r
      where r.id = p.run_id and p.id = any(array(select id from due union all select id from left_over))
      returning p.id, p.organization_id, p.run_id, p.delivery_id, p.fence, r.machine_id, p.state
    ),
    told as (
      insert into run_controls (id, organization_id, run_id, delivery_id, machine_id, fence, kind, approval_id, made_via)
      select 'ctl_' || uuid7_hex(), organization_id, run_id, delivery_id, machine_id, fence, 'answer', id, 'relay'
      from moved where state = 'expired'
    ),
    lapsed as (
      update run_controls c set
        state = case when c.state = 'queued' then 'lapsed' else 'indeterminate' end,
        reason = case when c.state = 'queued' then 'The run ended before it arrived.' end
      where c.id in (
        select c.id from run_controls c join runs r on r.id = c.run_id join deliveries d on d.id = r.delivery_id
        where (c.state = 'queued' or (c.state = 'delivered' and c.kind = 'steer')) and ${isOver}
        limit ${limit}::int for update of c skip locked)
    )
    select id, organization_id, machine_id, run_id, state as moved from moved`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id,
    machineId: row.machine_id,
    runId: row.run_id,
    moved: row.moved,
  }))
}
