import type {
  AgentIsolation,
  AgentView,
  ApprovalSettings,
  Budget,
  PermissionMode,
  Runtime,
} from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'

export type CreateAgent = {
  key: string
  name?: string
  machineId: string
  /** `auto`: the best of claude, codex, gemini and opencode that is installed and signed in on the machine. */
  runtime: Runtime | 'auto'
  /** For `command` and `acp`: the name of an executable in the machine's policy file. */
  command?: string
  instructions?: string
  model?: string
  permissionMode?: PermissionMode
  workspace?: string
  maxConcurrent?: number
  /** At most this many runs start within an hour. */
  perHour?: number
  /** Whether a person is asked about what its permission mode does not cover, and what needs no question. */
  approvals?: ApprovalSettings
  /** Where its process runs, as far as the machine's policy file allows; on the host unless it is set. */
  isolation?: AgentIsolation
  /** What one run may use, and all of a day (UTC); null: no budget. */
  budget?: Budget | null
}

export type Agents = {
  list(): Promise<AgentView[]>
  get(idOrKey: string): Promise<AgentView>
  create(input: CreateAgent): Promise<AgentView>
  update(id: string, changes: Partial<Omit<CreateAgent, 'key'>>): Promise<AgentView>
  /** Work waits until it is resumed. */
  pause(id: string): Promise<AgentView>
  resume(id: string): Promise<AgentView>
  archive(id: string): Promise<AgentView>
}

export function createAgents(raw: Raw, call: Call): Agents {
  return {
    list: () => call(raw.agents.list.query()),
    get: (id) => call(raw.agents.get.query({ id })),
    create: (input) => call(raw.agents.create.mutate(input)),
    update: (id, changes) => call(raw.agents.update.mutate({ id, ...changes })),
    pause: (id) => call(raw.agents.pause.mutate({ id })),
    resume: (id) => call(raw.agents.resume.mutate({ id })),
    archive: (id) => call(raw.agents.archive.mutate({ id })),
  }
}
