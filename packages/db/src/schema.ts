import type {
  AgentId,
  AgentIsolation,
  AnsweredVia,
  ApprovalId,
  ApprovalScope,
  ApprovalSettings,
  ApprovalState,
  BlockReason,
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
  GithubAppId,
  GithubFeedback,
  GithubReconciliation,
  GithubSetupId,
  GithubVerdict,
  Id,
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
  PermissionMode,
  Role,
  RunId,
  RunLimits,
  RunRules,
  RunState,
  Runtime,
  RuntimeProbe,
  SpawnReport,
  TokenId,
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
import type { ColumnType, Generated, Selectable } from 'kysely'

type Made = ColumnType<Date, Date | undefined, never>
/** A jsonb column: objects go in and come out as they are. */
type JsonColumn<T> = ColumnType<T, T, T>
type JsonDefault<T> = ColumnType<T, T | undefined, T>

/** The tables, column for column as in migrations/. Rows keep snake_case up to one `toX` mapper. */
export type Database = {
  organizations: {
    id: OrganizationId
    slug: string
    name: string
    created_at: Made
    keep_runs: Generated<number>
    keep_days: Generated<number>
    import_digest: string | null
    imported_at: Date | null
  }
  users: { id: UserId; email: string | null; name: string; created_at: Made }
  members: { organization_id: OrganizationId; user_id: UserId; role: Role; created_at: Made }
  sign_in_links: {
    id: Id<'link'>
    organization_id: OrganizationId
    user_id: UserId
    secret_hash: string
    expires_at: Date
    used_at: Date | null
    created_at: Made
  }
  user_sessions: {
    id: Id<'session'>
    organization_id: OrganizationId
    user_id: UserId
    secret_hash: string
    expires_at: Date
    revoked_at: Date | null
    created_at: Made
  }
  tokens: {
    id: TokenId
    organization_id: OrganizationId
    user_id: UserId
    name: string
    secret_hash: string
    last_used_at: Date | null
    revoked_at: Date | null
    created_at: Made
  }
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
    instance_id: string | null
    boot_id: string | null
    session_epoch: Generated<number>
    last_heartbeat_at: Date | null
    goodbye_at: Date | null
    goodbye_cause: 'stopped' | 'restarting' | 'sleeping' | null
    draining_at: Date | null
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
  github_apps: {
    id: GithubAppId
    organization_id: OrganizationId
    app_id: number
    slug: string
    name: string
    api_url: string
    web_url: string
    html_url: string
    client_id: string | null
    sealed_private_key: string
    sealed_webhook_secret: string
    sealed_client_secret: string | null
    last_delivery_at: Date | null
    reconciled_to: Generated<Date>
    reconcile_at: Generated<Date>
    reconcile_claim: Generated<number>
    reconcile_claimed_until: Date | null
    reconciliation: JsonColumn<GithubReconciliation | null>
    removed_at: Date | null
    created_at: Made
  }
  github_setups: {
    id: GithubSetupId
    organization_id: OrganizationId
    state_hash: string
    api_url: string
    web_url: string
    owner: string | null
    app_name: string
    app_id: GithubAppId | null
    expires_at: Date
    created_at: Made
  }
  github_events: {
    event_id: EventId
    organization_id: OrganizationId
    github_app_id: GithubAppId
    guid: string
    name: string
    action: string | null
    installation_id: number | null
    repository: string | null
    verdicts: JsonDefault<GithubVerdict[]>
    tries: Generated<number>
    last_error: string | null
    next_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  }
  github_arrivals: {
    organization_id: OrganizationId
    github_app_id: GithubAppId
    guid: string
    event_id: EventId | null
    body_hash: string
    arrived_at: Made
  }
  github_contexts: {
    delivery_id: DeliveryId
    organization_id: OrganizationId
    github_app_id: GithubAppId
    trigger_id: TriggerId
    installation_id: number
    repository_id: number
    repository: string
    number: number | null
    comment_id: number | null
    comment_kind: 'issue' | 'review' | null
    head_sha: string | null
    base_branch: string | null
    text_hash: string
    actor: string
    feedback: JsonColumn<GithubFeedback>
    pushed_branch: string | null
    pushed_commit: string | null
    push_problem: string | null
    done_at: Date | null
    created_at: Made
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

export type MachineRow = Selectable<Database['machines']>
export type AgentRow = Selectable<Database['agents']>
export type JobRow = Selectable<Database['jobs']>
export type TriggerRow = Selectable<Database['triggers']>
export type EventRow = Selectable<Database['events']>
export type DeliveryRow = Selectable<Database['deliveries']>
export type RunRow = Selectable<Database['runs']>
