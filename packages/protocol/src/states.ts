/**
 * The states of everything that has states, and the moves between them. This is the one definition: the SQL CHECKs
 * and docs/states.md repeat it and a test compares the three.
 */

export const EVENT_STATES = ['accepted', 'matched', 'ignored'] as const
export type EventState = (typeof EVENT_STATES)[number]

/** What an event came from. */
export const EVENT_SOURCES = [
  'webhook',
  'manual',
  'cron',
  'interval',
  'file_change',
  'git_push',
  'github',
  'message',
] as const
export type EventSource = (typeof EVENT_SOURCES)[number]

/** Why an accepted event started nothing. */
export const IGNORED_REASONS = [
  'job_disabled',
  'job_deleted',
  'agent_archived',
  'filtered',
  'no_job',
  'overlap_skipped',
  'coalesced',
  'trigger_paused',
  'missed',
  'loop',
  'backlog_full',
  'own_event',
  'actor_refused',
  'fork_refused',
  'text_edited',
] as const
export type IgnoredReason = (typeof IGNORED_REASONS)[number]

export const DELIVERY_STATES = [
  'pending',
  'leased',
  'running',
  'stalled',
  'parked',
  'succeeded',
  'failed',
  'cancelled',
  'dead',
  'expired',
] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

export const RUN_STATES = [
  'starting',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'lost',
  'superseded',
] as const
export type RunState = (typeof RUN_STATES)[number]

export const MACHINE_STATES = ['online', 'offline', 'draining', 'revoked', 'archived'] as const
export type MachineState = (typeof MACHINE_STATES)[number]

export const AGENT_STATES = ['idle', 'busy', 'error', 'offline', 'paused', 'archived'] as const
export type AgentState = (typeof AGENT_STATES)[number]

export const EVENT_TRANSITIONS: Record<EventState, readonly EventState[]> = {
  accepted: ['matched', 'ignored'],
  matched: ['ignored'],
  ignored: [],
}

/**
 * `leased → pending` when nobody accepted in time; `running → stalled` when the lease lapsed while the machine is away;
 * `stalled → running` when it comes back. Late truth is accepted: a stalled delivery takes the report of its newest
 * run. `pending → running` and `pending → <finished>` are that same late truth for a run that was accepted, whose
 * machine went away before its start was reported, and whose fence nobody has overtaken.
 */
export const DELIVERY_TRANSITIONS: Record<DeliveryState, readonly DeliveryState[]> = {
  pending: ['leased', 'running', 'parked', 'succeeded', 'failed', 'cancelled', 'dead', 'expired'],
  leased: ['pending', 'running', 'succeeded', 'failed', 'cancelled', 'dead', 'parked'],
  running: ['pending', 'stalled', 'succeeded', 'failed', 'cancelled', 'dead', 'parked'],
  stalled: ['pending', 'running', 'succeeded', 'failed', 'cancelled', 'dead', 'parked'],
  parked: ['pending', 'succeeded', 'failed', 'cancelled', 'dead', 'expired'],
  succeeded: [],
  failed: [],
  cancelled: [],
  dead: ['pending'],
  expired: ['pending'],
}

export const RUN_TRANSITIONS: Record<RunState, readonly RunState[]> = {
  starting: ['running', 'succeeded', 'failed', 'cancelled', 'timed_out', 'lost', 'superseded'],
  running: ['succeeded', 'failed', 'cancelled', 'timed_out', 'lost', 'superseded'],
  succeeded: [],
  failed: [],
  cancelled: [],
  timed_out: [],
  lost: ['starting', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out', 'superseded'],
  superseded: [],
}

/** States in which a delivery holds its machine's slot, its agent and its workspace. */
export const LIVE_DELIVERY_STATES = [
  'leased',
  'running',
  'stalled',
] as const satisfies readonly DeliveryState[]
export const FINISHED_DELIVERY_STATES = [
  'succeeded',
  'failed',
  'cancelled',
  'dead',
  'expired',
] as const satisfies readonly DeliveryState[]
export const FINISHED_RUN_STATES = [
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'lost',
  'superseded',
] as const satisfies readonly RunState[]

export const isFinishedDelivery = (state: DeliveryState) =>
  (FINISHED_DELIVERY_STATES as readonly string[]).includes(state)
export const isFinishedRun = (state: RunState) => (FINISHED_RUN_STATES as readonly string[]).includes(state)

/** What a finished run came to, computed from events, exit code, denials and the diff: never from the exit code alone. */
export const OUTCOMES = [
  'done',
  'done_with_warnings',
  'changed_nothing',
  'blocked_by_permission',
  'needs_input',
  'error',
] as const
export type Outcome = (typeof OUTCOMES)[number]
