import {
  type AgentId,
  type AgentIsolation,
  type AgentState,
  type AgentView,
  type ApprovalSettings,
  type BlockReason,
  type Budget,
  type Capability,
  type MachineId,
  type MachineState,
  mergeApprovals,
  type OrganizationId,
  type PermissionMode,
  RUNTIME_CAPABILITIES,
  type Runtime,
  type RuntimeProbe,
  type SkillRef,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { agentExtras } from '../deliveries/lease.ts'
import { pendingOf } from '../deliveries/pending-of.ts'
import { isBlocked, isSpent, nextDay } from '../usage/waits-for.ts'
import { blockCause } from './block-cause.ts'

type Row = {
  id: AgentId
  key: string
  name: string
  runtime: Runtime
  command: string | null
  instructions: string
  model: string | null
  permission_mode: PermissionMode
  workspace: string | null
  max_concurrent: number
  per_hour: number | null
  isolation: AgentIsolation
  approvals: ApprovalSettings
  budget: Budget | null
  blocked_reason: BlockReason | null
  blocked_message: string | null
  blocked_at: Date | null
  blocked_until: Date | null
  is_blocked: boolean
  is_spent: boolean
  next_day: Date
  secret_names: string[]
  skills: SkillRef[]
  paused: boolean
  archived: boolean
  machine_id: MachineId
  machine_name: string
  machine_state: MachineState
  runtimes: RuntimeProbe[]
  live: number
  pending: number
  created_at: Date
}

/** Agents of an organization that are not archived, or the one with this id or key. */
export async function listAgentViews(
  db: Db,
  organizationId: OrganizationId,
  only?: { idOrKey: string },
): Promise<AgentView[]> {
  const { rows } = await sql<Row>`
    select a.id, a.key, a.name, a.runtime, a.command, a.instructions, a.model, a.permission_mode, a.workspace,
      a.max_concurrent, a.per_hour, a.isolation, a.approvals, a.budget, a.blocked_reason,
      a.blocked_message, a.blocked_at, a.blocked_until, ${isBlocked} as is_blocked, ${isSpent.agent} as is_spent,
      ${nextDay} as next_day, ${agentExtras}, a.paused_at is not null as paused, a.archived_at is not null as archived, a.created_at,
      m.id as machine_id, m.name as machine_name, machine_state(m) as machine_state, m.runtimes,
      (select count(*) from deliveries d where d.machine_id = m.id and d.agent_id = a.id
        and d.state in ('leased', 'running', 'stalled')) as live,
      (select count(*) from (select 1 from ${pendingOf(sql`m.id`)} where waiting.agent_id = a.id limit 1001) p)
        as pending
    from agents a join machines m on m.id = a.machine_id
    where a.organization_id = ${organizationId}
      and ${only ? sql`(a.id = ${only.idOrKey} or (a.key = ${only.idOrKey} and a.archived_at is null))` : sql`a.archived_at is null`}
    order by a.created_at`.execute(db)
  return rows.map(toAgentView)
}

function toAgentView(row: Row): AgentView {
  const { state, cause } = stateOf(row)
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    state,
    cause,
    runtime: row.runtime,
    capabilities: capabilitiesOf(row),
    command: row.command,
    instructions: row.instructions,
    model: row.model,
    permissionMode: row.permission_mode,
    workspace: row.workspace,
    maxConcurrent: row.max_concurrent,
    perHour: row.per_hour,
    isolation: row.isolation,
    approvals: mergeApprovals(row.approvals, null),
    budget: row.budget,
    blocked: blockedOf(row),
    secretNames: row.secret_names,
    skills: row.skills,
    machine: { id: row.machine_id, name: row.machine_name, state: row.machine_state },
    live: row.live,
    pending: row.pending,
    createdAt: row.created_at.getTime(),
  }
}

function stateOf(row: Row): { state: AgentState; cause: string | null } {
  if (row.archived) return { state: 'archived', cause: 'It was archived.' }
  if (row.paused) return { state: 'paused', cause: 'It was paused; its work waits.' }
  if (row.machine_state !== 'online' && row.machine_state !== 'draining') {
    return { state: 'offline', cause: `Its machine ${row.machine_name} is ${row.machine_state}.` }
  }
  const blocked = blockedOf(row)
  if (blocked) return { state: 'error', cause: blockCause(blocked, row) }
  const problem = problemOf(row)
  if (problem) return { state: 'error', cause: problem }
  const cause = row.machine_state === 'draining' ? `Its machine ${row.machine_name} takes no new work.` : null
  return { state: row.live > 0 ? 'busy' : 'idle', cause }
}

function blockedOf(row: Row): AgentView['blocked'] {
  if (row.is_blocked && row.blocked_reason) {
    return {
      reason: row.blocked_reason,
      message: row.blocked_message ?? '',
      since: row.blocked_at?.getTime() ?? null,
      until: row.blocked_until?.getTime() ?? null,
    }
  }
  return row.is_spent
    ? {
        reason: 'budget',
        message: 'Its budget of the day is used up.',
        since: null,
        until: row.next_day.getTime(),
      }
    : null
}

/** What its machine found out about the installed program; else what this version knows of the runtime. */
function capabilitiesOf({ runtime, runtimes }: Row): readonly Capability[] {
  const probe = runtimes.find((found) => found.runtime === runtime)
  return probe?.installed && probe.capabilities?.length > 0
    ? probe.capabilities
    : RUNTIME_CAPABILITIES[runtime]
}

function problemOf(row: Row): string | null {
  const probe = row.runtimes.find((found) => found.runtime === row.runtime)
  if (!probe) return null
  if (!probe.installed) return `${row.runtime} is not installed on ${row.machine_name}. ${probe.detail}`
  if (probe.signedIn === 'no')
    return `${row.runtime} is not signed in on ${row.machine_name}. ${probe.detail}`
  if (row.command !== null && !probe.commands.includes(row.command)) {
    return `The policy file of ${row.machine_name} offers no command "${row.command}".`
  }
  return null
}
