import type {
  AgentId,
  DeliveryId,
  DeliveryState,
  MachineId,
  MachineState,
  OrganizationId,
  RunId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** Everything the lease statement looks at for one pending delivery, read at once. */
export type DeliveryFacts = {
  id: DeliveryId
  runId: RunId
  state: DeliveryState
  stateSince: number
  reason: string | null
  reasonMessage: string | null
  accepted: boolean
  cancelRequestedAt: number | null
  notBefore: number
  now: number
  machine: {
    id: MachineId
    name: string
    state: MachineState
    slots: number
    live: number
    lastHeartbeatAt: number | null
  }
  agent: { id: AgentId; key: string; paused: boolean; archived: boolean; maxConcurrent: number; live: number }
  workspace: { key: string; busyWith: RunId | null }
  ahead: number
}

export async function findDeliveryFacts(
  db: Db,
  organizationId: OrganizationId,
  deliveryId: DeliveryId,
): Promise<DeliveryFacts | null> {
  const { rows } = await sql<{ facts: DeliveryFacts }>`
    with d as (select * from deliveries where id = ${deliveryId} and organization_id = ${organizationId}),
    live as (
      select l.* from deliveries l join d on l.machine_id = d.machine_id
      where l.state in ('leased', 'running', 'stalled') and l.id <> d.id
    )
    select json_build_object(
      'id', d.id, 'runId', d.run_id, 'state', d.state, 'stateSince', extract(epoch from d.state_since) * 1000,
      'reason', d.reason, 'reasonMessage', d.reason_message, 'accepted', d.accepted_at is not null,
      'cancelRequestedAt', extract(epoch from d.cancel_requested_at) * 1000,
      'notBefore', extract(epoch from d.not_before) * 1000, 'now', extract(epoch from now()) * 1000,
      'machine', json_build_object('id', m.id, 'name', m.name, 'state', machine_state(m), 'slots', m.slots,
        'live', (select count(*) from live), 'lastHeartbeatAt', extract(epoch from m.last_heartbeat_at) * 1000),
      'agent', json_build_object('id', a.id, 'key', a.key, 'paused', a.paused_at is not null,
        'archived', a.archived_at is not null, 'maxConcurrent', a.max_concurrent,
        'live', (select count(*) from live where live.agent_id = a.id)),
      'workspace', json_build_object('key', d.workspace_key,
        'busyWith', (select run_id from live where live.workspace_key = d.workspace_key limit 1)),
      'ahead', (select count(*) from (
        select 1 from deliveries o where o.machine_id = d.machine_id and o.state = 'pending' and o.not_before <= now()
          and (o.priority > d.priority or (o.priority = d.priority and o.id < d.id)) limit 1001) a)
    ) as facts
    from d join machines m on m.id = d.machine_id join agents a on a.id = d.agent_id`.execute(db)
  return rows[0]?.facts ?? null
}
