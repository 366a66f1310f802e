import type {
  AgentId,
  JobId,
  MachineId,
  OrganizationId,
  PermissionMode,
  RunLimits,
  RunRules,
  Runtime,
  TriggerId,
  WebhookScheme,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** Everything that the intake needs to know about one webhook address. */
export type HookTargetRow = {
  trigger_id: TriggerId
  organization_id: OrganizationId
  scheme: WebhookScheme
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
  agent_key: string
  agent_workspace: string | null
  agent_archived: boolean
  runtime: Runtime
  command: string | null
  instructions: string
  model: string | null
  permission_mode: PermissionMode
  max_concurrent: number
  paused: boolean
  machine_id: MachineId
}

/** The trigger behind a webhook path with its job and agent, or null. Deleted triggers have no address any more. */
export async function findHookTarget(db: Db, path: string): Promise<HookTargetRow | null> {
  const { rows } = await sql<HookTargetRow>`
    select t.id as trigger_id, t.organization_id, t.scheme, t.secrets, j.id as job_id, j.key as job_key, j.name as job_name,
      j.prompt as job_prompt, j.workspace as job_workspace, j.limits, j.rules, j.disabled_at is not null as disabled,
      j.deleted_at is not null as deleted, a.id as agent_id, a.key as agent_key, a.workspace as agent_workspace,
      a.archived_at is not null as agent_archived, a.runtime, a.command, a.instructions, a.model, a.permission_mode,
      a.max_concurrent, a.paused_at is not null as paused, a.machine_id
    from triggers t join jobs j on j.id = t.job_id join agents a on a.id = j.agent_id
    where t.path = ${path} and t.kind = 'webhook' and t.deleted_at is null`.execute(db)
  return rows[0] ?? null
}

/** Pending deliveries of a machine, counted up to `limit` + 1. */
export async function countPending(db: Db, machineId: MachineId, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select 1 from deliveries where machine_id = ${machineId} and state = 'pending' limit ${limit + 1}::int
    ) few`.execute(db)
  return rows[0]?.count ?? 0
}
