import { z } from 'zod'
import { BLOCK_REASONS, skillRef } from '../agent-profile.ts'
import { agentIsolation, approvalRules, budget, CAPABILITIES } from '../agent-settings.ts'
import { machinePolicy, machineStorage } from '../machine-facts.ts'
import { PERMISSION_MODES, RUNTIMES } from '../runtimes.ts'
import { AGENT_STATES, MACHINE_STATES } from '../states.ts'
import type { AgentSessionView, AgentView, MachineView } from '../views.ts'
import { shownId, time } from './ids.ts'
import { type Same, same } from './same.ts'
import { shown, shownShape } from './shown.ts'

const capabilities = z.array(z.enum(CAPABILITIES))

const runtimeProbe = z.object({
  runtime: z.enum(RUNTIMES),
  installed: z.boolean(),
  version: z.string().nullable(),
  path: z.string().nullable(),
  signedIn: z.enum(['yes', 'no', 'unknown']),
  detail: z.string(),
  commands: z.array(z.string()),
  capabilities,
})

export const machineView = z
  .object({
    id: shownId('machine'),
    name: z.string(),
    state: z.enum(MACHINE_STATES),
    cause: z.string().nullable().meta({ description: 'Why it takes no work, as a sentence.' }),
    offlineSince: time.nullable(),
    drainingAt: time.nullable().meta({ description: 'Since when it takes no new work, online or not.' }),
    lastHeartbeatAt: time.nullable(),
    hostname: z.string().nullable(),
    os: z.string().nullable(),
    arch: z.string().nullable(),
    runnerVersion: z.string().nullable(),
    slots: z.number(),
    live: z.number(),
    pending: z.number(),
    runtimes: z.array(runtimeProbe),
    policy: shown(machinePolicy)
      .nullable()
      .meta({ description: 'What its policy file lets the relay ask for.' }),
    storage: shown(machineStorage).nullable().meta({ description: 'Worktrees kept there, and its disk.' }),
    createdAt: time,
  })
  .meta({ id: 'Machine' })
same<Same<z.infer<typeof machineView>, MachineView>>()

/** The same in every place that names a machine. */
export const machineRef = z.object({
  id: shownId('machine'),
  name: z.string(),
  state: z.enum(MACHINE_STATES),
})

export const agentView = z
  .object({
    id: shownId('agent'),
    key: z.string(),
    name: z.string(),
    state: z.enum(AGENT_STATES),
    cause: z.string().nullable().meta({ description: 'Why it is in error or offline, as a sentence.' }),
    runtime: z.enum(RUNTIMES),
    capabilities: capabilities.readonly(),
    command: z.string().nullable(),
    instructions: z.string(),
    model: z.string().nullable(),
    permissionMode: z.enum(PERMISSION_MODES),
    workspace: z.string().nullable(),
    maxConcurrent: z.number(),
    perHour: z.number().nullable(),
    approvals: shown(approvalRules),
    isolation: shown(agentIsolation),
    budget: shown(budget).nullable(),
    blocked: z
      .object({
        reason: z.enum([...BLOCK_REASONS, 'budget']),
        message: z.string(),
        since: time.nullable(),
        until: time.nullable(),
      })
      .nullable()
      .meta({ description: 'Why it takes no work although nobody paused it.' }),
    secretNames: z.array(z.string()).meta({ description: 'Names only; values are shown to nobody.' }),
    skills: z.array(shown(skillRef)),
    machine: machineRef,
    live: z.number(),
    pending: z.number(),
    createdAt: time,
  })
  .meta({ id: 'Agent' })
same<Same<z.infer<typeof agentView>, AgentView>>()

export const agentSessionView = z
  .object({
    conversation: z.string(),
    agent: z.object({ id: shownId('agent'), key: z.string() }),
    runtime: z.enum(RUNTIMES),
    machine: z.object({ id: shownId('machine'), name: z.string() }),
    sessionId: z.string(),
    cwd: z.string().nullable(),
    updatedAt: time,
  })
  .meta({ id: 'AgentSession' })
same<Same<z.infer<typeof agentSessionView>, AgentSessionView>>()

export const skillView = z.object({ ...shownShape(skillRef.shape), text: z.string(), updatedAt: time })
export const addedSkill = z.object(shownShape(skillRef.shape))

export const createdMachine = z.object({
  machine: machineView,
  key: z.string().meta({ description: 'In this answer and nowhere else.' }),
})
