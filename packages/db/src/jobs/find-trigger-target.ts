import type {
  AgentId,
  JobId,
  MachineId,
  OrganizationId,
  RunLimits,
  RunRules,
  Runtime,
  TriggerId,
  TriggerKind,
  WebhookScheme,
} from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'
import { pendingOf } from '../deliveries/pending-of.ts'

/** Everything that is needed to make an event of a trigger, and its delivery. */
export type TriggerTargetRow = {
  trigger_id: TriggerId
  kind: TriggerKind
  config: Record<string, unknown>
  trigger_paused: boolean
  trigger_created_at: Date
  organization_id: OrganizationId
  path: string | null
  /** Only webhooks have one. */
  scheme: WebhookScheme | null
  secrets: string[]
  job_id: JobId
  job_key: string
  job_name: string
  job_prompt: string
  job_workspace: string | null
  limits: RunLimits
  rules: RunRules
  disabled: boolean
  deleted: boolean
  agent_id: AgentId
  agent_workspace: string | null
  agent_archived: boolean
  runtime: Runtime
  machine_id: MachineId
}

/** Of `triggers t`, `jobs j` and `agents a`. */
export const triggerTargetColumns = sql`t.id as trigger_id, t.kind, t.config, t.paused_at is not null as trigger_paused,
  t.created_at as trigger_created_at, t.organization_id, t.path, t.scheme, t.secrets, j.id as job_id, j.key as job_key,
  j.name as job_name, j.prompt as job_prompt, j.workspace as job_workspace, j.limits, j.rules,
  j.disabled_at is not null as disabled, j.deleted_at is not null as deleted, a.id as agent_id,
  a.workspace as agent_workspace, a.archived_at is not null as agent_archived, a.runtime, a.machine_id`

/** The trigger behind a webhook path with its job and agent, or null. Deleted triggers have no address any more. */
export async function findHookTarget(db: Db, path: string): Promise<TriggerTargetRow | null> {
  const [row] = await listTargets(db, sql`t.path = ${path} and t.kind = 'webhook' and t.deleted_at is null`)
  return row ?? null
}

/** The same for many paths at once; those that are unknown are left out. */
export const listHookTargets = (db: Db, paths: string[]): Promise<TriggerTargetRow[]> =>
  listTargets(db, sql`t.path = any(${paths}::text[]) and t.kind = 'webhook' and t.deleted_at is null`)

/** A trigger of this organization, or of any with null: then the caller must know that it may. */
export async function findTriggerTarget(
  db: Db,
  organizationId: OrganizationId | null,
  id: string,
): Promise<TriggerTargetRow | null> {
  const [row] = await listTargets(
    db,
    sql`t.id = ${id} and t.deleted_at is null ${organizationId === null ? sql`` : sql`and t.organization_id = ${organizationId}`}`,
  )
  return row ?? null
}

async function listTargets(db: Db, where: RawBuilder<unknown>): Promise<TriggerTargetRow[]> {
  const { rows } = await sql<TriggerTargetRow>`
    select ${triggerTargetColumns} from triggers t join jobs j on j.id = t.job_id join agents a on a.id = j.agent_id
    where ${where}`.execute(db)
  return rows
}

/** Events of a job in the last minute that runs caused, counted up to `limit` + 1. */
export async function countCaused(db: Db, jobId: JobId, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select 1 from events where job_id = ${jobId} and hops > 0
        and id > 'evt_' || lpad(to_hex((extract(epoch from now() - interval '1 minute') * 1000)::bigint), 12, '0')
      limit ${limit + 1}::int
    ) few`.execute(db)
  return rows[0]?.count ?? 0
}

/** How many events came before the event of a run; null when this organization has no such run. */
export async function findHopsOfRun(
  db: Db,
  organizationId: OrganizationId,
  runId: string,
): Promise<number | null> {
  const { rows } = await sql<{ hops: number }>`
    select e.hops from runs r join deliveries d on d.id = r.delivery_id join events e on e.id = d.event_id
    where r.id = ${runId} and r.organization_id = ${organizationId}`.execute(db)
  return rows[0]?.hops ?? null
}

/** Pending deliveries of a machine, counted up to `limit` + 1. */
export async function countPending(db: Db, machineId: MachineId, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select 1 from ${pendingOf(sql`${machineId}`)} limit ${limit + 1}::int
    ) few`.execute(db)
  return rows[0]?.count ?? 0
}
