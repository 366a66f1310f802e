import type {
  AgentId,
  AgentIsolation,
  ApprovalSettings,
  Budget,
  JobId,
  JobRetention,
  MachineId,
  OrganizationId,
  PermissionMode,
  RunLimits,
  RunRules,
  Runtime,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { type NewOutput, outputRecords } from '../outputs/outputs.ts'
import { isOfVersion } from '../row-version.ts'
import { type NewTrigger, triggerRecords } from './triggers.ts'

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
  budget?: Budget | null
  isolation?: AgentIsolation
  approvals?: ApprovalSettings
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

/** False: this organization has no such agent, or it is not of this version any more. */
export async function updateAgent(
  db: Db,
  organizationId: OrganizationId,
  id: AgentId,
  change: Partial<AgentFields> & { paused?: boolean; archived?: true; ifVersion?: string | undefined },
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
    .where(isOfVersion(change.ifVersion))
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

function toAgentColumns<F extends Partial<AgentFields>>(fields: F) {
  const { permissionMode, maxConcurrent, perHour, approvals, budget, ...rest } =
    fields as Partial<AgentFields>
  const same: Partial<AgentFields> = {}
  for (const name of [
    'key',
    'name',
    'runtime',
    'command',
    'instructions',
    'model',
    'workspace',
    'isolation',
  ] as const) {
    if (rest[name] !== undefined) Object.assign(same, { [name]: rest[name] })
  }
  return {
    ...(same as Pick<AgentFields, 'key' | 'name' | 'runtime'>),
    ...(permissionMode !== undefined && { permission_mode: permissionMode }),
    ...(maxConcurrent !== undefined && { max_concurrent: maxConcurrent }),
    ...(perHour !== undefined && { per_hour: perHour }),
    ...(approvals !== undefined && { approvals }),
    ...(budget !== undefined && { budget }),
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
  budget?: Budget | null
  approvals?: ApprovalSettings
}

/** A job with its triggers and outputs, all or nothing. */
export async function insertJob(
  db: Db,
  job: JobFields & {
    id: JobId
    organizationId: OrganizationId
    triggers: NewTrigger[]
    outputs?: NewOutput[]
  },
): Promise<void> {
  await sql`
    with made as (
      insert into jobs (id, organization_id, agent_id, key, name, prompt, workspace, limits, rules, approvals, budget)
      values (${job.id}, ${job.organizationId}, ${job.agentId}, ${job.key}, ${job.name}, ${job.prompt}, ${job.workspace},
        ${JSON.stringify(job.limits)}::text::jsonb, ${JSON.stringify(job.rules)}::text::jsonb,
        ${JSON.stringify(job.approvals ?? {})}::text::jsonb, ${job.budget ? JSON.stringify(job.budget) : null}::text::jsonb)
      returning id, organization_id
    ),
    made_outputs as (
      insert into outputs (id, organization_id, job_id, kind, moment, config, message, secrets)
      select o.id, made.organization_id, made.id, o.kind, o.moment, o.config, o.message, o.secrets
      from made, ${outputRecords(job.outputs ?? [])}
    )
    insert into triggers (id, organization_id, job_id, kind, path, scheme, secrets, config)
    select t.id, made.organization_id, made.id, t.kind, t.path, t.scheme,
      case when t.secret is null then '{}' else array[t.secret] end, t.config
    from made, ${triggerRecords(job.triggers)}`.execute(db)
}

/** False: this organization has no such job, or it is not of this version any more. */
export async function updateJob(
  db: Db,
  organizationId: OrganizationId,
  id: JobId,
  change: Partial<JobFields> & {
    enabled?: boolean
    deleted?: true
    retention?: Partial<JobRetention>
    ifVersion?: string | undefined
  },
): Promise<boolean> {
  const { agentId, enabled, deleted, limits, rules, retention, ifVersion, ...same } = change
  const set: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(same)) if (value !== undefined) set[name] = value
  const result = await db
    .with('rescheduled', (also) =>
      // A schedule that is off makes up nothing for that time when it is on again.
      also
        .updateTable('triggers')
        .set({ next_fire_at: null })
        .where('job_id', '=', id)
        .where('organization_id', '=', organizationId)
        .where('next_fire_at', 'is not', null)
        .where(sql<boolean>`${enabled !== undefined}::boolean`),
    )
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
    .where(isOfVersion(ifVersion))
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}
