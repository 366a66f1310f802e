import type { AgentIsolation, AgentView, Budget, PermissionMode } from '@baton/protocol'
import { budgetOrNone, NO_BUDGET } from '../elements/budget-fields.tsx'

type Container = Extract<AgentIsolation, { kind: 'container' }>

/** An agent’s settings as their form holds them: texts as they are typed. */
export type AgentDraft = {
  name: string
  command: string
  model: string
  instructions: string
  permissionMode: PermissionMode
  workspace: string
  maxConcurrent: number | null
  perHour: number | null
  approvals: { mode: '' | 'deny' | 'ask'; allow: string }
  expiresMs: number | null
  isolation: AgentIsolation['kind']
  sandboxNetwork: boolean
  container: Container
  budget: Budget
}

const CONTAINER: Container = {
  kind: 'container',
  image: '',
  engine: 'auto',
  memoryMb: 4_096,
  cpus: 2,
  pids: 512,
  network: 'bridge',
}

export function draftOfAgent(agent: AgentView): AgentDraft {
  const { isolation, approvals } = agent
  return {
    name: agent.name,
    command: agent.command ?? '',
    model: agent.model ?? '',
    instructions: agent.instructions,
    permissionMode: agent.permissionMode,
    workspace: agent.workspace ?? '',
    maxConcurrent: agent.maxConcurrent,
    perHour: agent.perHour,
    approvals: { mode: approvals.mode, allow: approvals.allow.join('\n') },
    expiresMs: approvals.expiresMs,
    isolation: isolation.kind,
    sandboxNetwork: isolation.kind === 'bubblewrap' ? isolation.network : true,
    container: isolation.kind === 'container' ? isolation : CONTAINER,
    budget: agent.budget ?? NO_BUDGET,
  }
}

/** What `agents.update` takes. */
export function toAgentChange(agent: AgentView, draft: AgentDraft) {
  const takesCommand = agent.runtime === 'command' || agent.runtime === 'acp'
  const allow = draft.approvals.allow.split('\n').map((line) => line.trim())
  return {
    id: agent.id,
    name: draft.name.trim(),
    instructions: draft.instructions,
    model: draft.model.trim() || null,
    permissionMode: draft.permissionMode,
    workspace: draft.workspace.trim() || null,
    ...(takesCommand && { command: draft.command.trim() }),
    ...(draft.maxConcurrent !== null && { maxConcurrent: draft.maxConcurrent }),
    perHour: draft.perHour,
    approvals: {
      mode: draft.approvals.mode || ('deny' as const),
      allow: allow.filter((line) => line !== ''),
      ...(draft.expiresMs !== null && { expiresMs: draft.expiresMs }),
    },
    isolation: isolationOf(draft),
    budget: budgetOrNone(draft.budget),
  }
}

function isolationOf(draft: AgentDraft): AgentIsolation {
  switch (draft.isolation) {
    case 'host':
      return { kind: 'host' }
    case 'bubblewrap':
      return { kind: 'bubblewrap', network: draft.sandboxNetwork }
    case 'container':
      return draft.container
  }
}
