import type {
  AnsweredVia,
  ApprovalScope,
  ApprovalState,
  ControlAnswer,
  ControlId,
  ControlState,
  ControlView,
  DeliveryId,
  MachineId,
  OrganizationId,
  RunControl,
  RunId,
  UserId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { isHeld } from './is-held.ts'

export type NewControl = {
  id: ControlId
  kind: 'steer' | 'interrupt'
  text: string | null
  idempotencyKey: string | null
  by: UserId
  via: AnsweredVia
}

/**
 * Stores what a person tells a run that a machine holds. The same idempotency key again gives the first one. Null: no
 * machine holds this run now, and nothing was stored.
 */
export async function insertControl(
  db: Db,
  organizationId: OrganizationId,
  runId: RunId,
  control: NewControl,
): Promise<{ id: ControlId; machineId: MachineId; text: string | null } | null> {
  const { rows } = await sql<{ id: ControlId; machine_id: MachineId; text: string | null }>`
    with made as (
      insert into run_controls (id, organization_id, run_id, delivery_id, machine_id, fence, kind, text, idempotency_key,
        made_by, made_via)
      select ${control.id}, r.organization_id, r.id, r.delivery_id, r.machine_id, r.fence, ${control.kind}::text,
        ${control.text}::text, ${control.idempotencyKey}::text, ${control.by}::text, ${control.via}::text
      from runs r join deliveries d on d.id = r.delivery_id
      where r.id = ${runId} and r.organization_id = ${organizationId} and ${isHeld} and d.cancel_requested_at is null
      on conflict (run_id, idempotency_key) where idempotency_key is not null do nothing
      returning id, machine_id, text
    )
    select id, machine_id, text from made
    union all
    select id, machine_id, text from run_controls
    where run_id = ${runId} and organization_id = ${organizationId} and idempotency_key = ${control.idempotencyKey}::text
    limit 1`.execute(db)
  const [row] = rows
  return row ? { id: row.id, machineId: row.machine_id, text: row.text } : null
}

/** Everything that was said to a run, oldest first. */
export async function listControls(
  db: Db,
  organizationId: OrganizationId,
  runId: RunId,
): Promise<ControlView[]> {
  const { rows } = await sql<{
    id: ControlId
    kind: ControlView['kind']
    text: string | null
    state: ControlState
    reason: string | null
    made_by: UserId | null
    name: string | null
    made_via: AnsweredVia
    created_at: Date
  }>`
    select c.id, c.kind, c.text, c.state, c.reason, c.made_by, u.name, c.made_via, c.created_at
    from run_controls c left join users u on u.id = c.made_by
    where c.run_id = ${runId} and c.organization_id = ${organizationId} order by c.id limit 500`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    text: row.text,
    state: row.state,
    reason: row.reason,
    by: row.made_by ? { id: row.made_by, name: row.name ?? '' } : null,
    via: row.made_via,
    createdAt: row.created_at.getTime(),
  }))
}

/** What a machine was told and has not acknowledged, oldest first. */
export async function listQueuedControls(db: Db, machineId: MachineId): Promise<RunControl[]> {
  const { rows } = await sql<QueuedRow>`
    select c.id, c.delivery_id, c.run_id, c.fence, c.kind, c.text, coalesce(u.name, 'Baton') as name, p.ask, p.action_hash,
      p.state, p.scope, p.pattern, p.message
    from run_controls c join runs r on r.id = c.run_id join deliveries d on d.id = r.delivery_id
      left join users u on u.id = c.made_by left join approvals p on p.id = c.approval_id
    where c.machine_id = ${machineId} and c.state = 'queued' and ${isHeld} order by c.id limit 500`.execute(
    db,
  )
  return rows.map(toControl)
}

/** The runner has these on its disk, or refuses them for good. Answers the runs whose controls moved. */
export async function acknowledgeControls(
  db: Db,
  machineId: MachineId,
  answers: readonly ControlAnswer[],
): Promise<RunId[]> {
  const { rows } = await sql<{ run_id: RunId }>`
    update run_controls c set state = a.result, reason = a.reason
    from unnest(${answers.map((a) => a.id)}::text[], ${answers.map((a) => a.result)}::text[],
      ${answers.map((a) => a.reason)}::text[]) as a (id, result, reason)
    where c.id = a.id and c.machine_id = ${machineId} and c.state = 'queued'
    returning c.run_id`.execute(db)
  return [...new Set(rows.map((row) => row.run_id))]
}

type QueuedRow = {
  id: ControlId
  delivery_id: DeliveryId
  run_id: RunId
  fence: number
  kind: RunControl['kind']
  text: string | null
  name: string
  ask: string | null
  action_hash: string | null
  state: ApprovalState | null
  scope: ApprovalScope | null
  pattern: string | null
  message: string | null
}

function toControl(row: QueuedRow): RunControl {
  const common = {
    id: row.id,
    deliveryId: row.delivery_id,
    runId: row.run_id,
    fence: row.fence,
    by: row.name,
  }
  if (row.kind === 'steer') return { ...common, kind: 'steer', text: row.text ?? '' }
  if (row.kind === 'interrupt') return { ...common, kind: 'interrupt' }
  return {
    ...common,
    kind: 'answer',
    ask: row.ask ?? '',
    actionHash: row.action_hash ?? '',
    // Whatever is not an explicit yes is a no.
    decision: row.state === 'allowed' ? 'allow' : 'deny',
    scope: row.scope ?? 'once',
    pattern: row.pattern,
    message: row.state === 'expired' ? 'Nobody answered in time, so it was denied.' : row.message,
  }
}
