import type {
  AgentId,
  AgentIsolation,
  ApprovalSettings,
  DeliveryId,
  JobId,
  MachineId,
  OrganizationId,
  PermissionMode,
  RunnerHello,
  Runtime,
  SkillRef,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { agentExtras } from '../deliveries/lease.ts'
import type { AgentRow } from '../schema.ts'
import { unblockSignedIn } from '../usage/unblock-agents.ts'
import { isBlocked } from '../usage/waits-for.ts'

export type HelloResult =
  | { result: 'ok'; name: string; organizationId: OrganizationId }
  | { result: 'conflict'; hostname: string | null; heartbeatAgoMs: number }
  | { result: 'revoked' }

/**
 * Makes this runner process the machine's own. Refused while another installation with the same key is alive (a
 * heartbeat within `aliveMs` and no goodbye), unless it takes over. A restart of the same installation never is.
 */
export async function helloMachine(
  db: Db,
  machineId: MachineId,
  hello: RunnerHello,
  aliveMs: number,
): Promise<HelloResult> {
  const installation = hello.instanceId.split('.')[0]
  // Sessions of the one before lease nothing from here on. The time is that of the row's lock, after all that they leased.
  const isAnother = sql`(instance_id is not null and split_part(instance_id, '.', 1) <> ${installation}::text)`
  const { rows } = await sql<{ name: string; organization_id: OrganizationId }>`
    with before as materialized (select id, instance_id, runtimes from machines where id = ${machineId}),
    said as (
    update machines set instance_id = ${hello.instanceId}, boot_id = ${hello.bootId}, hostname = ${hello.hostname},
      os = ${hello.os}, arch = ${hello.arch}, runner_version = ${hello.runnerVersion}, slots = ${hello.slots}::int,
      runtimes = ${JSON.stringify(hello.runtimes)}::text::jsonb,
      facts = ${hello.facts === null ? null : JSON.stringify(hello.facts)}::text::jsonb, last_heartbeat_at = now(), goodbye_at = null,
      goodbye_cause = null, session_epoch = case when ${isAnother} then session_epoch + 1 else session_epoch end,
      taken_over_at = case when ${isAnother} then clock_timestamp() else taken_over_at end
    where id = ${machineId} and revoked_at is null and archived_at is null and (
      ${hello.takeover ? 'yes' : 'no'}::text = 'yes' or instance_id is null
      or split_part(instance_id, '.', 1) = ${installation}::text
      or goodbye_at is not null or last_heartbeat_at is null
      or last_heartbeat_at < now() - ${aliveMs}::int * interval '1 ms')
    returning name, organization_id
    )${unblockSignedIn(hello.instanceId, hello.runtimes)}
    select name, organization_id from said`.execute(db)
  const row = rows[0]
  if (row) return { result: 'ok', name: row.name, organizationId: row.organization_id }
  const { rows: others } = await sql<{ hostname: string | null; ago: number; revoked: boolean }>`
    select hostname, extract(epoch from now() - last_heartbeat_at) * 1000 as ago,
      revoked_at is not null or archived_at is not null as revoked
    from machines where id = ${machineId}`.execute(db)
  const other = others[0]
  if (!other || other.revoked) return { result: 'revoked' }
  return { result: 'conflict', hostname: other.hostname, heartbeatAgoMs: Math.round(Number(other.ago)) }
}

export type SessionAgent = {
  id: AgentId
  key: string
  runtime: Runtime
  command: string | null
  instructions: string
  model: string | null
  permissionMode: PermissionMode
  isolation: AgentIsolation
  approvals: ApprovalSettings
  /** Of those of its jobs that have some. */
  jobApprovals: Partial<Record<JobId, ApprovalSettings>>
  secretNames: string[]
  skills: SkillRef[]
  maxConcurrent: number
  takesWork: boolean
  /** It does not take work now, but may by itself: its state has to be read again. */
  mayUnblock: boolean
  canReserve: boolean
}

export type LiveDelivery = { id: DeliveryId; agentId: AgentId; lane: string | null }
export type OpenedSession = { epoch: number; agents: SessionAgent[]; live: LiveDelivery[] }

/**
 * Makes a new session the machine's newest: from here on older sessions lease nothing. Null when another runner
 * process has said hello since. What is read afterwards includes everything that older sessions leased.
 */
export async function openMachineSession(
  db: Db,
  machineId: MachineId,
  instanceId: string,
): Promise<OpenedSession | null> {
  const { rows } = await sql<{ session_epoch: number }>`
    update machines set session_epoch = session_epoch + 1, last_heartbeat_at = now()
    where id = ${machineId} and instance_id = ${instanceId} and revoked_at is null and archived_at is null
    returning session_epoch`.execute(db)
  const epoch = rows[0]?.session_epoch
  if (epoch === undefined) return null
  return {
    epoch,
    agents: await listSessionAgents(db, machineId),
    live: await listLiveDeliveries(db, machineId),
  }
}

export async function listSessionAgents(db: Db, machineId: MachineId): Promise<SessionAgent[]> {
  const { rows } = await sql<
    AgentRow & {
      job_approvals: SessionAgent['jobApprovals'] | null
      is_blocked: boolean
      has_budgets: boolean
      secret_names: string[]
      skills: SkillRef[]
    }
  >`
    select a.*, (select json_object_agg(j.id, j.approvals) from jobs j where j.agent_id = a.id and j.approvals <> '{}')
      as job_approvals, ${isBlocked} as is_blocked,
      exists (select from jobs j where j.agent_id = a.id and j.budget is not null and j.deleted_at is null) as has_budgets,
      ${agentExtras} from agents a where a.machine_id = ${machineId}`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    key: row.key,
    runtime: row.runtime,
    command: row.command,
    instructions: row.instructions,
    model: row.model,
    permissionMode: row.permission_mode,
    isolation: row.isolation,
    approvals: row.approvals,
    jobApprovals: row.job_approvals ?? {},
    maxConcurrent: row.max_concurrent,
    secretNames: row.secret_names,
    skills: row.skills,
    // An hourly limit and a budget need a count, which only the lease statement makes.
    canReserve: row.per_hour === null && row.budget === null && !row.has_budgets,
    takesWork: row.paused_at === null && row.archived_at === null && !row.is_blocked,
    mayUnblock: row.is_blocked && row.blocked_until !== null,
  }))
}

/** What holds a machine's agents and workspaces now. */
export async function listLiveDeliveries(db: Db, machineId: MachineId): Promise<LiveDelivery[]> {
  const { rows } = await sql<{ id: DeliveryId; agent_id: AgentId; lane: string | null }>`
    select id, agent_id, lane from deliveries
    where machine_id = ${machineId} and state in ('leased', 'running', 'stalled')`.execute(db)
  return rows.map((row) => ({ id: row.id, agentId: row.agent_id, lane: row.lane }))
}

/** Answers the machine's newest session epoch, or null when it is revoked or another process took it over. */
export async function heartbeatMachine(
  db: Db,
  machineId: MachineId,
  instanceId: string,
): Promise<number | null> {
  const { rows } = await sql<{ session_epoch: number }>`
    update machines set last_heartbeat_at = now(), goodbye_at = null, goodbye_cause = null
    where id = ${machineId} and instance_id = ${instanceId} and revoked_at is null and archived_at is null
    returning session_epoch`.execute(db)
  return rows[0]?.session_epoch ?? null
}

export async function sayGoodbye(
  db: Db,
  machineId: MachineId,
  instanceId: string,
  cause: 'stopped' | 'restarting' | 'sleeping',
): Promise<void> {
  await sql`update machines set goodbye_at = now(), goodbye_cause = ${cause}
    where id = ${machineId} and instance_id = ${instanceId}`.execute(db)
}

/** Machines whose last heartbeat became too old within the last `windowMs`: whoever shows them looks again. */
export async function listJustOffline(
  db: Db,
  windowMs: number,
): Promise<{ id: MachineId; organizationId: OrganizationId }[]> {
  const { rows } = await sql<{ id: MachineId; organization_id: OrganizationId }>`
    select id, organization_id from machines
    where last_heartbeat_at between now() - interval '30 seconds' - ${windowMs}::int * interval '1 ms'
      and now() - interval '30 seconds'`.execute(db)
  return rows.map((row) => ({ id: row.id, organizationId: row.organization_id }))
}
