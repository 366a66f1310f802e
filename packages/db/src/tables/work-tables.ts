import type {
  AgentId,
  AnsweredVia,
  ApprovalId,
  ApprovalScope,
  ApprovalSettings,
  ApprovalState,
  Budget,
  ChangesSummary,
  ControlId,
  ControlState,
  DeliveryId,
  DeliveryState,
  DispatchId,
  DispatchState,
  DispatchTry,
  ErrorKind,
  EventId,
  EventSource,
  EventState,
  EventVerification,
  IgnoredReason,
  JobId,
  KillProof,
  MachineId,
  OrganizationId,
  Outcome,
  OutputId,
  OutputKind,
  OutputMoment,
  OutputText,
  Overlap,
  RunId,
  RunLimits,
  RunRules,
  RunState,
  SpawnReport,
  TriggerId,
  TriggerKind,
  Trust,
  UndoId,
  UndoKind,
  UndoReport,
  Usage,
  UserId,
  WatchState,
  WebhookScheme,
} from '@baton/protocol'
import type { ColumnType, Generated } from 'kysely'
import type { JsonColumn, JsonDefault, Made } from './columns.ts'

/** What is to be done, what was done, and what came of it. */
export type WorkTables = {
  jobs: {
    id: JobId
    organization_id: OrganizationId
    agent_id: AgentId
    key: string
    name: string
    prompt: string
    workspace: string | null
    limits: JsonColumn<RunLimits>
    rules: JsonColumn<RunRules>
    approvals: JsonDefault<ApprovalSettings>
    budget: JsonDefault<Budget | null>
    disabled_at: Date | null
    deleted_at: Date | null
    created_at: Made
    updated_at: ColumnType<Date, Date | undefined, Date>
    keep_runs: number | null
    keep_days: number | null
  }
  triggers: {
    id: TriggerId
    organization_id: OrganizationId
    job_id: JobId
    kind: TriggerKind
    path: string | null
    scheme: WebhookScheme | null
    secrets: string[]
    config: JsonDefault<Record<string, unknown>>
    paused_at: Date | null
    next_fire_at: Date | null
    watch: JsonColumn<(WatchState & { at: number }) | null>
    deleted_at: Date | null
    created_at: Made
  }
  events: {
    id: EventId
    organization_id: OrganizationId
    job_id: JobId | null
    trigger_id: TriggerId | null
    source: EventSource
    state: EventState
    reason: IgnoredReason | null
    reason_message: string | null
    verification: JsonColumn<EventVerification | null>
    cause: string | null
    hops: Generated<number>
    coalesced_into: DeliveryId | null
    dedup_scope: string
    dedup_key: string
    body_hash: string
    content_type: string | null
    headers: JsonDefault<Record<string, string>>
    body: Buffer
    received_at: Made
  }
  deliveries: {
    id: DeliveryId
    organization_id: OrganizationId
    event_id: EventId
    job_id: JobId | null
    agent_id: AgentId
    machine_id: MachineId
    state: Generated<DeliveryState>
    reason: string | null
    reason_message: string | null
    run_id: RunId
    attempt: Generated<number>
    max_attempts: Generated<number>
    repeatable: Generated<boolean>
    priority: Generated<number>
    fence: Generated<number>
    workspace: string | null
    lane: string | null
    prompt: string
    limits: JsonColumn<RunLimits>
    parked_until: Date | null
    expires_at: Date | null
    stall_ms: number | null
    concurrency_key: string | null
    concurrency_limit: number | null
    overlap: Generated<Overlap>
    overlap_key: string | null
    leased_at: Date | null
    accepted_at: Date | null
    lease_expires_at: Date | null
    cancel_requested_at: Date | null
    cancel_reason: string | null
    finish_key: string | null
    trust: Generated<Trust>
    conversation: string | null
    nudge: Generated<boolean>
    recovered: Generated<boolean>
    created_at: Made
    state_since: Generated<Date>
    finished_at: Date | null
  }
  runs: {
    id: RunId
    organization_id: OrganizationId
    delivery_id: DeliveryId
    machine_id: MachineId
    agent_id: AgentId
    job_id: JobId | null
    attempt: number
    fence: number
    state: Generated<RunState>
    outcome: Outcome | null
    error_kind: ErrorKind | null
    message: string | null
    exit_code: number | null
    signal: string | null
    session_id: string | null
    workspace: string | null
    result: string | null
    usage: JsonColumn<Usage | null>
    kill_proof: JsonColumn<KillProof | null>
    changes: JsonDefault<ChangesSummary | null>
    diff: string | null
    spawn: JsonDefault<SpawnReport | null>
    last_seq: Generated<number>
    last_hash: string
    final_seq: number | null
    final_hash: string | null
    finish_key: string | null
    leased_at: Date
    accepted_at: Generated<Date>
    started_at: Date | null
    first_output_at: Date | null
    consumed_at: Date | null
    finished_at: Date | null
  }
  outputs: {
    id: OutputId
    organization_id: OrganizationId
    job_id: JobId
    kind: OutputKind
    moment: OutputMoment
    config: JsonColumn<Record<string, unknown>>
    message: JsonColumn<OutputText>
    secrets: string | null
    disabled_at: Date | null
    disabled_reason: string | null
    deleted_at: Date | null
    created_at: Made
  }
  dispatches: {
    id: DispatchId
    organization_id: OrganizationId
    output_id: OutputId | null
    job_id: JobId | null
    event_id: EventId | null
    delivery_id: DeliveryId | null
    run_id: RunId | null
    kind: OutputKind
    key: string
    config: JsonColumn<Record<string, unknown> | null>
    machine_id: MachineId | null
    state: Generated<DispatchState>
    fence: Generated<number>
    claim: Generated<number>
    tries: Generated<number>
    next_at: Date | null
    first_tried_at: Date | null
    last_error: string | null
    cause: string | null
    unconfirmed: Generated<boolean>
    maybe_repeated: Generated<boolean>
    attempts: JsonDefault<DispatchTry[]>
    external_id: string | null
    url: string | null
    content: string | null
    created_at: Made
    sent_at: Date | null
    finished_at: Date | null
  }
  approvals: {
    id: ApprovalId
    organization_id: OrganizationId
    run_id: RunId
    delivery_id: DeliveryId
    fence: number
    ask: string
    tool: string
    summary: string
    input: JsonColumn<unknown>
    input_cut: Generated<boolean>
    cwd: string
    action_hash: string
    state: Generated<ApprovalState>
    asked_at: Made
    expires_at: Date
    scope: ApprovalScope | null
    pattern: string | null
    message: string | null
    answered_by: UserId | null
    answered_name: string | null
    answered_via: AnsweredVia | null
    answered_at: Date | null
  }
  run_controls: {
    id: ControlId
    organization_id: OrganizationId
    run_id: RunId
    delivery_id: DeliveryId
    machine_id: MachineId
    fence: number
    kind: 'answer' | 'steer' | 'interrupt'
    approval_id: ApprovalId | null
    text: string | null
    idempotency_key: string | null
    state: Generated<ControlState>
    reason: string | null
    made_by: UserId | null
    made_via: AnsweredVia
    created_at: Made
  }
  undos: {
    id: UndoId
    organization_id: OrganizationId
    run_id: RunId
    machine_id: MachineId
    kind: UndoKind
    dry_run: boolean
    state: Generated<'asked' | 'done' | 'refused'>
    message: string | null
    files: JsonDefault<string[]>
    blocked: JsonDefault<UndoReport['blocked']>
    created_at: Made
    settled_at: Date | null
  }
  run_events: { run_id: RunId; seq: number; organization_id: OrganizationId; body: string; stored_at: Made }
}
