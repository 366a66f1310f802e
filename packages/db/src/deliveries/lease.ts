import {
  type AgentId,
  type AgentIsolation,
  type ApprovalRules,
  type ApprovalSettings,
  type Budget,
  type DeliveryId,
  type EventId,
  type EventSource,
  type JobId,
  type MachineId,
  mergeApprovals,
  type PermissionMode,
  type RunId,
  type RunLimits,
  type Runtime,
  type SkillRef,
  type Trust,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { type BudgetFacts, tightestBudget } from '../usage/tightest-budget.ts'
import { budgetFacts } from '../usage/waits-for.ts'
import { chooseDeliveries } from './choose.ts'

export type LeasedDelivery = {
  id: DeliveryId
  runId: RunId
  fence: number
  attempt: number
  agentId: AgentId
  lane: string | null
  workspace: string | null
  prompt: string
  limits: RunLimits
  agent: {
    key: string
    runtime: Runtime
    command: string | null
    instructions: string
    model: string | null
    permissionMode: PermissionMode
    isolation: AgentIsolation
    /** Its own with its job's over them. */
    approvals: ApprovalRules
    secretNames: string[]
    skills: SkillRef[]
  }
  trust: Trust
  publicRights: { trust: Trust; permissionMode: PermissionMode | null } | null
  budget: Budget
  conversation: string | null
  session: { id: string; cwd: string | null } | null
  nudge: boolean
  job: { id: JobId; key: string } | null
  event: { id: EventId; source: EventSource; contentType: string | null; body: Buffer | null }
}

/**
 * Leases up to `slots` pending deliveries to a machine (see `chooseDeliveries`) and returns them whole. Nothing is leased
 * when `sessionEpoch` is no longer the machine's newest session.
 *
 * The caller must not run two of these for one machine at once: the counts are read in the statement's own snapshot.
 * Unique indexes hold the lane and the one-at-a-time key besides, across all machines and relays.
 */
export async function leaseDeliveries(
  db: Db,
  machineId: MachineId,
  options: { sessionEpoch: number; slots: number; leaseMs: number; bodyBytes: number },
): Promise<LeasedDelivery[]> {
  const { rows } = await sql<LeasedRow>`
    with recursive session as materialized (
      select id from machines
      where id = ${machineId} and session_epoch = ${options.sessionEpoch}::bigint
        and revoked_at is null and archived_at is null and draining_at is null
      for share
    ),
    ${chooseDeliveries(machineId, sql`${options.slots}::int`)},
    locked as (
      select d.id from deliveries d
      where d.id in (select id from chosen) and d.state = 'pending' and exists (select from session)
      for update skip locked
    ),
    leased as (
      update deliveries d set state = 'leased', state_since = now(), reason = null, reason_message = null,
        fence = nextval('fences'), leased_at = now(), accepted_at = null,
        lease_expires_at = now() + ${options.leaseMs}::int * interval '1 ms',
        run_id = case when d.attempt > 0 and exists (select from runs r where r.id = d.run_id)
          then 'run_' || uuid7_hex() else d.run_id end
      from locked where d.id = locked.id and d.state = 'pending'
      returning d.*
    )
    ${leasedColumns(options.bodyBytes)} from leased d
      join agents a on a.id = d.agent_id join events e on e.id = d.event_id left join jobs j on j.id = d.job_id
    order by d.priority desc, d.id`.execute(db)
  return rows.map(toLeasedDelivery)
}

/** Leases of this machine that nobody accepted yet: pushed again when its session opens, under the same fence. */
export async function listUnacceptedLeases(
  db: Db,
  machineId: MachineId,
  bodyBytes: number,
): Promise<LeasedDelivery[]> {
  const { rows } = await sql<LeasedRow>`
    ${leasedColumns(bodyBytes)} from deliveries d
      join agents a on a.id = d.agent_id join events e on e.id = d.event_id left join jobs j on j.id = d.job_id
    where d.machine_id = ${machineId} and d.state = 'leased' and d.accepted_at is null
    order by d.priority desc, d.id`.execute(db)
  return rows.map(toLeasedDelivery)
}

const leasedColumns = (bodyBytes: number) => sql`
  select d.id, d.run_id, d.fence, d.attempt, d.agent_id, d.lane, d.workspace, d.prompt, d.limits,
    a.key as agent_key, a.runtime, a.command, a.instructions, a.model, a.permission_mode, a.isolation,
    a.approvals as agent_approvals, j.approvals as job_approvals,
    j.id as job_id, j.key as job_key, d.trust, d.conversation, d.nudge, ${agentExtras},
    j.rules ->> 'trust' as job_trust, j.rules ->> 'publicMode' as job_public_mode,
    ${budgetFacts.agent} as agent_budget, ${budgetFacts.job} as job_budget, ${sessionFacts} as session, e.id as event_id, e.source, e.content_type,
    case when octet_length(e.body) <= ${bodyBytes}::int then e.body end as body`

/** What the agent's own tables add to a push. */
export const agentExtras = sql`
  (select coalesce(array_agg(x.name order by x.name), '{}') from agent_secrets x where x.agent_id = a.id) as secret_names,
  (select coalesce(json_agg(json_build_object('name', x.name, 'description', x.description, 'hash', x.hash)
    order by x.name), '[]') from agent_skills x where x.agent_id = a.id) as skills`

/** The conversation to go on with: that of the attempt before, or the kept one, as far as it is this machine's. */
const sessionFacts = sql`
  case when d.nudge then (
    select json_build_object('id', p.session_id, 'cwd', p.workspace) from runs p
    where p.delivery_id = d.id and p.attempt = d.attempt and p.machine_id = d.machine_id and p.session_id is not null)
  else (
    select json_build_object('id', s.session_id, 'cwd', s.cwd) from agent_sessions s
    where s.agent_id = d.agent_id and s.conversation = d.conversation and s.machine_id = d.machine_id
      and s.runtime = a.runtime) end`

type LeasedRow = {
  id: DeliveryId
  run_id: RunId
  fence: number
  attempt: number
  agent_id: AgentId
  lane: string | null
  workspace: string | null
  prompt: string
  limits: RunLimits
  agent_key: string
  runtime: Runtime
  command: string | null
  instructions: string
  model: string | null
  permission_mode: PermissionMode
  isolation: AgentIsolation
  agent_approvals: ApprovalSettings
  job_approvals: ApprovalSettings | null
  job_id: JobId | null
  job_key: string | null
  trust: Trust
  conversation: string | null
  nudge: boolean
  secret_names: string[]
  skills: SkillRef[]
  job_trust: Trust | null
  job_public_mode: PermissionMode | null
  agent_budget: BudgetFacts | null
  job_budget: BudgetFacts | null
  session: { id: string; cwd: string | null } | null
  event_id: EventId
  source: EventSource
  content_type: string | null
  body: Buffer | null
}

function toLeasedDelivery(row: LeasedRow): LeasedDelivery {
  return {
    id: row.id,
    runId: row.run_id,
    fence: row.fence,
    attempt: row.attempt + 1,
    agentId: row.agent_id,
    lane: row.lane,
    workspace: row.workspace,
    prompt: row.prompt,
    limits: row.limits,
    agent: {
      key: row.agent_key,
      runtime: row.runtime,
      command: row.command,
      instructions: row.instructions,
      model: row.model,
      permissionMode: row.permission_mode,
      isolation: row.isolation,
      approvals: mergeApprovals(row.agent_approvals, row.job_approvals),
      secretNames: row.secret_names,
      skills: row.skills,
    },
    trust: row.trust,
    publicRights: publicRights(row),
    budget: tightestBudget([row.agent_budget, row.job_budget]),
    conversation: row.conversation,
    session: row.session,
    nudge: row.nudge && row.session !== null,
    job: row.job_id && row.job_key ? { id: row.job_id, key: row.job_key } : null,
    event: { id: row.event_id, source: row.source, contentType: row.content_type, body: row.body },
  }
}

function publicRights({ trust, job_trust, job_public_mode }: LeasedRow): LeasedDelivery['publicRights'] {
  if (trust === 'member' || (job_trust === null && job_public_mode === null)) return null
  return { trust: job_trust ?? 'public', permissionMode: job_public_mode }
}
