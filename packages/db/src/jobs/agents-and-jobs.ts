import type {
  AgentId,
  JobId,
  JobRetention,
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

export type AgentFields = {
  key: string
  name: string
  runtime: Runtime
  command: string | null
  instructions: string
  model: string | null
  permissionMode: PermissionMode
  workspace: string | null
  maxConcurrent: number
  perHour: number | null
}

export async function insertAgent(
  db: Db,
  agent: AgentFields & { id: AgentId; organizationId: OrganizationId; machineId: MachineId },
): Promise<void> {
  await db
    .insertInto('agents')
    .values({
      id: agent.id,
      organization_id: agent.organizationId,
      machine_id: agent.machineId,
      ...toAgentColumns(agent),
    })
    .execute()
}

/** False: this organization has no such agent. */
export async function updateAgent(
  db: Db,
  organizationId: OrganizationId,
  id: AgentId,
  change: Partial<AgentFields> & { paused?: boolean; archived?: true },
): Promise<boolean> {
  const columns = toAgentColumns(change)
  const result = await db
    .updateTable('agents')
    .set({
      ...columns,
      ...(change.paused !== undefined && {
        paused_at: change.paused ? sql<Date>`coalesce(paused_at, now())` : null,
      }),
      ...(change.archived && { archived_at: sql<Date>`coalesce(archived_at, now())` }),
      // A change of nothing is still an answer about whether there is such an agent.
      organization_id: organizationId,
    })
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

function toAgentColumns<F extends Partial<AgentFields>>(fields: F) {
  const { permissionMode, maxConcurrent, perHour, ...rest } = fields as Partial<AgentFields>
  const same: Omit<Partial<AgentFields>, 'permissionMode' | 'maxConcurrent' | 'perHour'> = {}
  for (const name of ['key', 'name', 'runtime', 'command', 'instructions', 'model', 'workspace'] as const) {
    if (rest[name] !== undefined) Object.assign(same, { [name]: rest[name] })
  }
  return {
    ...(same as Pick<AgentFields, 'key' | 'name' | 'runtime'>),
    ...(permissionMode !== undefined && { permission_mode: permissionMode }),
    ...(maxConcurrent !== undefined && { max_concurrent: maxConcurrent }),
    ...(perHour !== undefined && { per_hour: perHour }),
  }
}

export type JobFields = {
  key: string
  name: string
  agentId: AgentId
  prompt: string
  workspace: string | null
  limits: RunLimits
  rules: RunRules
}
export type NewTrigger = { id: TriggerId; path: string; scheme: WebhookScheme; sealedSecret: string }

/** A job with its triggers, all or nothing. */
export async function insertJob(
  db: Db,
  job: JobFields & { id: JobId; organizationId: OrganizationId; triggers: NewTrigger[] },
): Promise<void> {
  await sql`
    with made as (
      insert into jobs (id, organization_id, agent_id, key, name, prompt, workspace, limits, rules)
      values (${job.id}, ${job.organizationId}, ${job.agentId}, ${job.key}, ${job.name}, ${job.prompt}, ${job.workspace},
        ${JSON.stringify(job.limits)}::text::jsonb, ${JSON.stringify(job.rules)}::text::jsonb)
      returning id, organization_id
    )
    insert into triggers (id, organization_id, job_id, kind, path, scheme, secrets)
    select t.id, made.organization_id, made.id, 'webhook', t.path, t.scheme, array[t.secret]
    from made, unnest(${job.triggers.map((t) => t.id)}::text[], ${job.triggers.map((t) => t.path)}::text[],
      ${job.triggers.map((t) => t.scheme)}::text[], ${job.triggers.map((t) => t.sealedSecret)}::text[])
      as t (id, path, scheme, secret)`.execute(db)
}

/** False: this organization has no such job. */
export async function updateJob(
  db: Db,
  organizationId: OrganizationId,
  id: JobId,
  change: Partial<JobFields> & { enabled?: boolean; deleted?: true; retention?: Partial<JobRetention> },
): Promise<boolean> {
  const { agentId, enabled, deleted, limits, rules, retention, ...same } = change
  const set: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(same)) if (value !== undefined) set[name] = value
  const result = await db
    .updateTable('jobs')
    .set({
      ...set,
      ...(limits !== undefined && { limits }),
      ...(rules !== undefined && { rules }),
      ...(agentId !== undefined && { agent_id: agentId }),
      ...(retention?.runs !== undefined && { keep_runs: retention.runs }),
      ...(retention?.days !== undefined && { keep_days: retention.days }),
      ...(enabled !== undefined && { disabled_at: enabled ? null : sql<Date>`coalesce(disabled_at, now())` }),
      ...(deleted && { deleted_at: sql<Date>`coalesce(deleted_at, now())` }),
      updated_at: sql<Date>`now()`,
    })
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** The new secret becomes the first; the one before it stays valid beside it. False: no such trigger here. */
export async function rotateTriggerSecret(
  db: Db,
  organizationId: OrganizationId,
  id: TriggerId,
  sealedSecret: string,
): Promise<WebhookScheme | null> {
  const { rows } = await sql<{ scheme: WebhookScheme }>`
    update triggers set secrets = array[${sealedSecret}::text] || secrets[1:1]
    where id = ${id} and organization_id = ${organizationId} and deleted_at is null and kind = 'webhook'
    returning scheme`.execute(db)
  return rows[0]?.scheme ?? null
}
