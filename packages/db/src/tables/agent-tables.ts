import type {
  AgentId,
  AgentIsolation,
  ApprovalSettings,
  BlockReason,
  Budget,
  JobId,
  MachineFacts,
  MachineId,
  OrganizationId,
  PermissionMode,
  Runtime,
  RuntimeProbe,
} from '@baton/protocol'
import type { Generated } from 'kysely'
import type { JsonDefault, Made } from './columns.ts'

/** Machines and agents, and what agents have and use. */
export type AgentTables = {
  machines: {
    id: MachineId
    organization_id: OrganizationId
    name: string
    key_hash: string
    hostname: string | null
    os: string | null
    arch: string | null
    runner_version: string | null
    slots: Generated<number>
    runtimes: JsonDefault<RuntimeProbe[]>
    facts: JsonDefault<MachineFacts | null>
    instance_id: string | null
    boot_id: string | null
    session_epoch: Generated<number>
    last_heartbeat_at: Date | null
    goodbye_at: Date | null
    goodbye_cause: 'stopped' | 'restarting' | 'sleeping' | null
    draining_at: Date | null
    taken_over_at: Date | null
    revoked_at: Date | null
    archived_at: Date | null
    created_at: Made
  }
  agents: {
    id: AgentId
    organization_id: OrganizationId
    machine_id: MachineId
    key: string
    name: string
    runtime: Runtime
    command: string | null
    instructions: Generated<string>
    model: string | null
    permission_mode: Generated<PermissionMode>
    workspace: string | null
    max_concurrent: Generated<number>
    per_hour: number | null
    isolation: JsonDefault<AgentIsolation>
    approvals: JsonDefault<ApprovalSettings>
    budget: JsonDefault<Budget | null>
    blocked_reason: BlockReason | null
    blocked_message: string | null
    blocked_at: Date | null
    blocked_until: Date | null
    quota_strikes: Generated<number>
    paused_at: Date | null
    archived_at: Date | null
    created_at: Made
  }
  agent_sessions: {
    organization_id: OrganizationId
    agent_id: AgentId
    conversation: string
    runtime: Runtime
    machine_id: MachineId
    session_id: string
    cwd: string | null
    updated_at: Made
  }
  usage_days: {
    organization_id: OrganizationId
    day: string
    agent_id: AgentId
    machine_id: MachineId
    job_id: JobId | null
    model: string | null
    runs: number
    priced_runs: number
    input_tokens: number
    output_tokens: number
    cached_tokens: number
    cost_usd: number
  }
  agent_secrets: {
    organization_id: OrganizationId
    agent_id: AgentId
    name: string
    sealed: string
    updated_at: Made
  }
  agent_skills: {
    organization_id: OrganizationId
    agent_id: AgentId
    name: string
    description: string
    text: string
    hash: string
    updated_at: Made
  }
}
