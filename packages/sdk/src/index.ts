export {
  type AgentView,
  type ApprovalView,
  BatonError,
  type DispatchView,
  decodeRunEvent,
  type EncodedRunEvent,
  type ErrorCode,
  type ErrorKind,
  type EventDetail,
  type EventView,
  type ImportCounts,
  type JobView,
  type MachineView,
  type MeView,
  type Outcome,
  type OutputView,
  type OverviewView,
  type Page,
  type RunChanges,
  type RunEvent,
  type RunId,
  type RunSummary,
  type RunView,
  type StatusWord,
  type TokenView,
  type WhyView,
} from '@baton/protocol'
export type { Secrets, Sessions, Skills, Usage } from './agent-kit.ts'
export type { Agents, CreateAgent } from './agents.ts'
export { BatonApiError, toApiError } from './api-error.ts'
export type { AllowOptions, Approvals } from './approvals.ts'
export { Baton, type BatonOptions, type TranscriptPage, type TranscriptPart } from './baton.ts'
export type { Deliveries } from './deliveries.ts'
export type { EventFilter, Events, FollowedEvent } from './events.ts'
export type { Github } from './github.ts'
export type { CreateJob, Jobs, TriggerSecret } from './jobs.ts'
export type { Machines } from './machines.ts'
export type { Imports, Organization, StagesOf } from './organization.ts'
export type { Dispatches, DispatchFilter, NewOutput, Outputs } from './outputs.ts'
export { type Run, RunFailedError } from './run.ts'
export type { CreateRun, ListRuns, Runs, Started } from './runs.ts'
export type { Tokens } from './tokens.ts'
export type { AnySchedule, DraftJob, Sample, Triggers } from './triggers.ts'
export { webhooks } from './webhooks.ts'
