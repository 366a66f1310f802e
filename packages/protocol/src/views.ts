import type { BlockReason, SkillRef } from './agent-profile.ts'
import type { AgentIsolation, ApprovalRules, Budget, Capability, Trust } from './agent-settings.ts'
import type { ApprovalSettings, ApprovalView, OpenApproval } from './approvals.ts'
import type { ErrorKind } from './error-kinds.ts'
import type {
  AgentId,
  DeliveryId,
  EventId,
  JobId,
  MachineId,
  OrganizationId,
  RunId,
  TokenId,
  UserId,
} from './ids.ts'
import type { MachinePolicy, MachineStorage } from './machine-facts.ts'
import type { DispatchView } from './outputs.ts'
import type { JobRetention, Retention } from './retention.ts'
import type { ChangesSummary, UndoView } from './run-changes.ts'
import type { KillProof, Usage } from './run-events.ts'
import type { RunRules } from './run-rules.ts'
import type { PermissionMode, RunLimits, Runtime, RuntimeProbe } from './runtimes.ts'
import type { AgentState, DeliveryState, EventSource, MachineState, Outcome, RunState } from './states.ts'
import type { TokenScope } from './token-scopes.ts'
import type { TriggerView } from './trigger-views.ts'

/** What the API answers. Times are ms since 1970 by the database's clock unless a field says otherwise. */

export type Role = 'owner' | 'admin' | 'member' | 'viewer'
export type MeView = {
  user: { id: UserId; name: string; email: string | null }
  organization: { id: OrganizationId; slug: string; name: string }
  role: Role
  /** What the token that asks may do; a browser session may do all that its person may. */
  scopes: TokenScope[]
  relayVersion: string
}

export type MachineView = {
  id: MachineId
  name: string
  state: MachineState
  /** Why it takes no work, as a sentence; null while it is online. */
  cause: string | null
  offlineSince: number | null
  /** Since when it takes no new work because a person said so, be it online or not. */
  drainingAt: number | null
  lastHeartbeatAt: number | null
  hostname: string | null
  os: string | null
  arch: string | null
  runnerVersion: string | null
  slots: number
  live: number
  pending: number
  runtimes: RuntimeProbe[]
  /** What its policy file lets the relay ask for; null: its runner could not say. */
  policy: MachinePolicy | null
  /** What runs left there, and its disk; null: its runner could not say. */
  storage: MachineStorage | null
  createdAt: number
}

export type AgentView = {
  id: AgentId
  key: string
  name: string
  state: AgentState
  /** Why it is in `error` or `offline`, as a sentence. */
  cause: string | null
  runtime: Runtime
  /** What it can do as it is installed on its machine. */
  capabilities: readonly Capability[]
  command: string | null
  instructions: string
  model: string | null
  permissionMode: PermissionMode
  workspace: string | null
  maxConcurrent: number
  /** At most this many runs start within an hour; more wait. */
  perHour: number | null
  approvals: ApprovalRules
  isolation: AgentIsolation
  budget: Budget | null
  /** It takes no work although nobody paused it; `until` null: until somebody does something. */
  blocked: {
    reason: BlockReason | 'budget'
    message: string
    since: number | null
    until: number | null
  } | null
  /** Names only; values are shown to nobody. */
  secretNames: string[]
  skills: SkillRef[]
  machine: { id: MachineId; name: string; state: MachineState }
  live: number
  pending: number
  createdAt: number
}

export type JobView = {
  id: JobId
  key: string
  name: string
  enabled: boolean
  agent: { id: AgentId; key: string; name: string }
  prompt: string
  workspace: string | null
  limits: RunLimits
  rules: RunRules
  /** What it changes of its agent's approvals; its own allow-list counts besides the agent's. */
  approvals: ApprovalSettings
  /** How long its runs are kept; null follows the organization. */
  retention: JobRetention
  budget: Budget | null
  triggers: TriggerView[]
  /** Newest first; `tookMs` is null while the agent works, or when it never did. */
  lastRuns: { id: RunId; status: StatusWord; at: number; tookMs: number | null }[]
  createdAt: number
  updatedAt: number
}

/** One word for people about a delivery and its newest run; the shape beside it is in STATUS_SHAPES. */
export type StatusWord =
  | 'queued'
  | 'starting'
  | 'running'
  | 'waiting'
  | 'asleep'
  | 'done'
  | 'warning'
  | 'failed'
  | 'stopped'
  | 'lost'

/** The delivery ladder. A step that has not happened is null. */
export type Ladder = {
  storedAt: number
  leasedAt: number | null
  acceptedAt: number | null
  startedAt: number | null
  firstOutputAt: number | null
  consumedAt: number | null
  finishedAt: number | null
}

/** `complete`: every event is here and the hash is the runner's. `missing` ranges are inclusive. */
export type Transcript = {
  complete: boolean
  events: number
  expected: number | null
  hash: string
  expectedHash: string | null
  missing: { from: number; to: number }[]
  sentence: string
}

export type RunView = {
  id: RunId
  deliveryId: DeliveryId
  attempt: number
  status: StatusWord
  /** One sentence that explains the status. */
  sentence: string
  /** null until a machine accepted it. */
  state: RunState | null
  deliveryState: DeliveryState
  outcome: Outcome | null
  errorKind: ErrorKind | null
  message: string | null
  exitCode: number | null
  result: string | null
  usage: Usage | null
  sessionId: string | null
  killProof: KillProof | null
  prompt: string
  /** The folder it works in, as the machine reported it; `requestedWorkspace` is what was asked for. */
  workspace: string | null
  requestedWorkspace: string | null
  limits: RunLimits
  agent: { id: AgentId; key: string; name: string; runtime: Runtime }
  machine: { id: MachineId; name: string; state: MachineState }
  job: { id: JobId; key: string; name: string } | null
  event: { id: EventId; source: EventSource }
  cancelRequestedAt: number | null
  /** While it is parked: until when, if a time ends it. */
  parkedUntil: number | null
  /** `public`: what started it came from outside the organization. */
  trust: Trust
  /** Its agent's conversation that it belongs to. */
  conversation: string | null
  expiresAt: number | null
  ladder: Ladder
  /** What it waits for: questions of its agent that nobody has answered, oldest first. */
  openApprovals: OpenApproval[]
  /** What was and is to be sent about this delivery, oldest first. */
  dispatches: DispatchView[]
  /** What it changed in its workspace; `runs.changes` has the diff. null: nobody could tell, or it has not ended. */
  changes: ChangesSummary | null
  /** The newest order to put its workspace back or forward that was carried out or waits; null: none. */
  undo: UndoView | null
  transcript: Transcript
  /** Other attempts of the same delivery, oldest first, this one included. */
  attempts: { id: RunId; attempt: number; status: StatusWord }[]
}

/** A row of a list: the same fields, without the long ones. */
export type RunSummary = Pick<
  RunView,
  | 'id'
  | 'deliveryId'
  | 'attempt'
  | 'status'
  | 'sentence'
  | 'state'
  | 'deliveryState'
  | 'outcome'
  | 'agent'
  | 'machine'
  | 'job'
  | 'event'
  | 'ladder'
> & { promptStart: string; resultStart: string | null }

export type TokenView = {
  id: TokenId
  name: string
  scopes: TokenScope[]
  createdAt: number
  lastUsedAt: number | null
  revokedAt: number | null
}

export type OrganizationView = { id: OrganizationId; slug: string; name: string; retention: Retention }

/** The steps between the rungs of the delivery ladder, and the whole way. */
export const STAGES = [
  'stored_leased',
  'leased_accepted',
  'accepted_started',
  'started_first_output',
  'first_output_consumed',
  'consumed_finished',
  'stored_finished',
] as const
export type StageName = (typeof STAGES)[number]
/** Percentiles in ms over `count` runs that made this step; null when none did. */
export type StageTimes = {
  stage: StageName
  count: number
  p50: number | null
  p95: number | null
  p99: number | null
}
export type StagesView = {
  machine: { id: MachineId; name: string } | null
  job: { id: JobId; key: string } | null
  since: number
  /** How many of the newest runs were looked at; `isCapped`: there are more within the time asked for. */
  runs: number
  isCapped: boolean
  stages: StageTimes[]
}

export type OverviewView = {
  machines: MachineView[]
  agents: AgentView[]
  running: RunSummary[]
  recent: RunSummary[]
  jobs: number
  /** Questions of agents that nobody has answered, oldest first. */
  openApprovals: ApprovalView[]
  /** Outputs of the last seven days that could not be sent. */
  troubledDispatches: DispatchView[]
}

/** One unmet condition between a thing and its next step. */
export type Condition = {
  code: string
  /** What is so, as a sentence. */
  what: string
  since: number | null
  /** What unblocks it: a sentence, and where there is one, the command to type. */
  unblock: string
  command: string | null
}
export type WhyView = { id: string; sentence: string; conditions: Condition[] }

/** A hint that rows of these kinds changed; the reader asks again. */
export type Change = {
  kind: 'run' | 'delivery' | 'machine' | 'agent' | 'job' | 'event' | 'approval'
  id: string
}

/** A conversation that an agent can go on with. */
export type AgentSessionView = {
  conversation: string
  agent: { id: AgentId; key: string }
  runtime: Runtime
  machine: { id: MachineId; name: string }
  /** The agent CLI's own id. */
  sessionId: string
  cwd: string | null
  updatedAt: number
}

export const USAGE_GROUPS = ['agent', 'job', 'model', 'day', 'machine'] as const
export type UsageGroup = (typeof USAGE_GROUPS)[number]
export type UsageTotals = {
  runs: number
  /** Their agents reported no money, so `costUsd` lacks them. */
  runsWithoutCost: number
  /** All that went in; `cachedTokens` are a part of it. */
  inputTokens: number
  outputTokens: number
  cachedTokens: number
  costUsd: number
}
/** `id` is null for what belongs to none, for example runs without a job. */
export type UsageRow = { id: string | null; name: string | null } & UsageTotals
/** Days of UTC, both counted. */
export type UsageView = {
  by: UsageGroup
  since: string
  until: string
  rows: UsageRow[]
  total: UsageTotals
}

export type Page<T> = { items: T[]; nextCursor: string | null }
