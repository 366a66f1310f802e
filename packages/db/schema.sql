-- Made by the migrations; a test compares it. Do not edit: write a migration.

create table agent_secrets (
  organization_id text not null,
  agent_id text not null,
  name text not null,
  sealed text not null,
  updated_at timestamp with time zone not null default now(),
  constraint agent_secrets_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(id),
  constraint agent_secrets_name_check CHECK ((name ~ '^[A-Za-z_][A-Za-z0-9_]*$'::text)),
  constraint agent_secrets_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint agent_secrets_pkey PRIMARY KEY (agent_id, name)
);

create table agent_sessions (
  organization_id text not null,
  agent_id text not null,
  conversation text not null,
  runtime text not null,
  machine_id text not null,
  session_id text not null,
  cwd text,
  updated_at timestamp with time zone not null default now(),
  constraint agent_sessions_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(id),
  constraint agent_sessions_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines(id),
  constraint agent_sessions_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint agent_sessions_pkey PRIMARY KEY (agent_id, conversation)
);

create table agent_skills (
  organization_id text not null,
  agent_id text not null,
  name text not null,
  description text not null,
  text text not null,
  hash text not null,
  updated_at timestamp with time zone not null default now(),
  constraint agent_skills_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(id),
  constraint agent_skills_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9-]*$'::text)),
  constraint agent_skills_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint agent_skills_pkey PRIMARY KEY (agent_id, name)
);

create table agents (
  id text not null,
  organization_id text not null,
  machine_id text not null,
  key text not null,
  name text not null,
  runtime text not null,
  command text,
  instructions text not null default ''::text,
  model text,
  permission_mode text not null default 'edit'::text,
  workspace text,
  max_concurrent integer not null default 5,
  per_hour integer,
  paused_at timestamp with time zone,
  archived_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  approvals jsonb not null default '{}'::jsonb,
  isolation jsonb not null default '{"kind": "host"}'::jsonb,
  budget jsonb,
  blocked_reason text,
  blocked_message text,
  blocked_at timestamp with time zone,
  blocked_until timestamp with time zone,
  quota_strikes integer not null default 0,
  constraint agents_blocked_check CHECK (((blocked_reason IS NULL) = (blocked_at IS NULL))),
  constraint agents_blocked_reason_check CHECK ((blocked_reason = ANY (ARRAY['quota'::text, 'not_signed_in'::text]))),
  constraint agents_check CHECK (((runtime = ANY (ARRAY['acp'::text, 'command'::text])) = (command IS NOT NULL))),
  constraint agents_id_check CHECK ((id ~~ 'agt\_%'::text)),
  constraint agents_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines(id),
  constraint agents_max_concurrent_check CHECK (((max_concurrent >= 1) AND (max_concurrent <= 100))),
  constraint agents_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint agents_per_hour_check CHECK ((per_hour >= 1)),
  constraint agents_permission_mode_check CHECK ((permission_mode = ANY (ARRAY['read_only'::text, 'edit'::text, 'full'::text]))),
  constraint agents_pkey PRIMARY KEY (id),
  constraint agents_runtime_check CHECK ((runtime = ANY (ARRAY['claude'::text, 'codex'::text, 'gemini'::text, 'opencode'::text, 'acp'::text, 'chat'::text, 'command'::text])))
);

create table approvals (
  id text not null,
  organization_id text not null,
  run_id text not null,
  delivery_id text not null,
  fence bigint not null,
  ask text not null,
  tool text not null,
  summary text not null,
  input jsonb not null,
  input_cut boolean not null default false,
  cwd text not null,
  action_hash text not null,
  state text not null default 'open'::text,
  asked_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  scope text,
  pattern text,
  message text,
  answered_by text,
  answered_name text,
  answered_via text,
  answered_at timestamp with time zone,
  constraint approvals_action_hash_check CHECK ((action_hash ~ '^[0-9a-f]{64}$'::text)),
  constraint approvals_answered_by_fkey FOREIGN KEY (answered_by) REFERENCES users(id),
  constraint approvals_answered_via_check CHECK ((answered_via = ANY (ARRAY['dashboard'::text, 'cli'::text, 'sdk'::text, 'relay'::text]))),
  constraint approvals_check CHECK (((state = 'open'::text) = (answered_at IS NULL))),
  constraint approvals_check1 CHECK (((state = ANY (ARRAY['allowed'::text, 'denied'::text])) = (COALESCE(answered_by, answered_name) IS NOT NULL))),
  constraint approvals_check2 CHECK (((state = 'allowed'::text) = (scope IS NOT NULL))),
  constraint approvals_id_check CHECK ((id ~~ 'apr\_%'::text)),
  constraint approvals_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint approvals_pkey PRIMARY KEY (id),
  constraint approvals_run_id_ask_key UNIQUE (run_id, ask),
  constraint approvals_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE CASCADE,
  constraint approvals_scope_check CHECK ((scope = ANY (ARRAY['once'::text, 'session'::text, 'job'::text]))),
  constraint approvals_state_check CHECK ((state = ANY (ARRAY['open'::text, 'allowed'::text, 'denied'::text, 'expired'::text, 'withdrawn'::text])))
);

create table deliveries (
  id text not null,
  organization_id text not null,
  event_id text not null,
  job_id text,
  agent_id text not null,
  machine_id text not null,
  state text not null default 'pending'::text,
  reason text,
  reason_message text,
  run_id text not null,
  attempt integer not null default 0,
  max_attempts integer not null default 3,
  repeatable boolean not null default false,
  priority integer not null default 0,
  fence bigint not null default 0,
  workspace text,
  lane text,
  prompt text not null,
  limits jsonb not null,
  parked_until timestamp with time zone,
  expires_at timestamp with time zone,
  stall_ms bigint,
  concurrency_key text,
  concurrency_limit integer,
  overlap text not null default 'queue'::text,
  overlap_key text,
  leased_at timestamp with time zone,
  accepted_at timestamp with time zone,
  lease_expires_at timestamp with time zone,
  cancel_requested_at timestamp with time zone,
  cancel_reason text,
  finish_key text,
  created_at timestamp with time zone not null default now(),
  state_since timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  trust text not null default 'member'::text,
  conversation text,
  nudge boolean not null default false,
  recovered boolean not null default false,
  constraint deliveries_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(id),
  constraint deliveries_attempt_check CHECK ((attempt >= 0)),
  constraint deliveries_check CHECK (((state = ANY (ARRAY['leased'::text, 'running'::text])) = (lease_expires_at IS NOT NULL))),
  constraint deliveries_check1 CHECK (((overlap = 'queue'::text) = (overlap_key IS NULL))),
  constraint deliveries_check2 CHECK (((concurrency_key IS NULL) = (concurrency_limit IS NULL))),
  constraint deliveries_concurrency_limit_check CHECK ((concurrency_limit >= 1)),
  constraint deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id),
  constraint deliveries_id_check CHECK ((id ~~ 'dlv\_%'::text)),
  constraint deliveries_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id),
  constraint deliveries_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines(id),
  constraint deliveries_max_attempts_check CHECK ((max_attempts >= 1)),
  constraint deliveries_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint deliveries_overlap_check CHECK ((overlap = ANY (ARRAY['queue'::text, 'skip'::text, 'replace'::text, 'coalesce'::text]))),
  constraint deliveries_pkey PRIMARY KEY (id),
  constraint deliveries_run_id_check CHECK ((run_id ~~ 'run\_%'::text)),
  constraint deliveries_run_id_key UNIQUE (run_id),
  constraint deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'leased'::text, 'running'::text, 'stalled'::text, 'parked'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text, 'dead'::text, 'expired'::text]))),
  constraint deliveries_trust_check CHECK ((trust = ANY (ARRAY['member'::text, 'public'::text])))
);

create table dispatches (
  id text not null,
  organization_id text not null,
  output_id text,
  job_id text,
  event_id text,
  delivery_id text,
  run_id text,
  kind text not null,
  key text not null,
  config jsonb,
  machine_id text,
  state text not null default 'pending'::text,
  fence bigint not null default 0,
  claim bigint not null default 0,
  tries integer not null default 0,
  next_at timestamp with time zone,
  first_tried_at timestamp with time zone,
  last_error text,
  cause text,
  unconfirmed boolean not null default false,
  maybe_repeated boolean not null default false,
  attempts jsonb not null default '[]'::jsonb,
  external_id text,
  url text,
  content text,
  created_at timestamp with time zone not null default now(),
  sent_at timestamp with time zone,
  finished_at timestamp with time zone,
  constraint dispatches_check CHECK (((state = ANY (ARRAY['pending'::text, 'sending'::text])) = (next_at IS NOT NULL))),
  constraint dispatches_check1 CHECK (((state = ANY (ARRAY['pending'::text, 'sending'::text])) = (finished_at IS NULL))),
  constraint dispatches_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries(id) ON DELETE CASCADE,
  constraint dispatches_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id) ON DELETE CASCADE,
  constraint dispatches_id_check CHECK ((id ~~ 'dsp\_%'::text)),
  constraint dispatches_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id),
  constraint dispatches_key_key UNIQUE (key),
  constraint dispatches_kind_check CHECK ((kind = ANY (ARRAY['log'::text, 'stdout'::text, 'file'::text, 'slack'::text, 'email'::text, 'webhook'::text, 'github_comment'::text, 'github_reaction'::text, 'github_check'::text, 'github_pull_request'::text, 'room'::text, 'lark'::text]))),
  constraint dispatches_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines(id),
  constraint dispatches_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint dispatches_output_id_fkey FOREIGN KEY (output_id) REFERENCES outputs(id),
  constraint dispatches_pkey PRIMARY KEY (id),
  constraint dispatches_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sending'::text, 'sent'::text, 'failed'::text, 'dead'::text, 'skipped'::text])))
);

create table events (
  id text not null,
  organization_id text not null,
  job_id text,
  trigger_id text,
  source text not null,
  state text not null,
  reason text,
  dedup_scope text not null,
  dedup_key text not null,
  body_hash text not null,
  content_type text,
  headers jsonb not null default '{}'::jsonb,
  body bytea not null,
  received_at timestamp with time zone not null default now(),
  reason_message text,
  verification jsonb,
  cause text,
  hops smallint not null default 0,
  coalesced_into text,
  constraint events_check CHECK (((state = 'ignored'::text) = (reason IS NOT NULL))),
  constraint events_hops_check CHECK ((hops >= 0)),
  constraint events_id_check CHECK ((id ~~ 'evt\_%'::text)),
  constraint events_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id),
  constraint events_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint events_pkey PRIMARY KEY (id),
  constraint events_reason_check CHECK ((reason = ANY (ARRAY['job_disabled'::text, 'job_deleted'::text, 'agent_archived'::text, 'filtered'::text, 'no_job'::text, 'overlap_skipped'::text, 'coalesced'::text, 'trigger_paused'::text, 'missed'::text, 'loop'::text, 'own_event'::text, 'actor_refused'::text, 'fork_refused'::text, 'text_edited'::text, 'backlog_full'::text]))),
  constraint events_source_check CHECK ((source = ANY (ARRAY['webhook'::text, 'manual'::text, 'cron'::text, 'interval'::text, 'file_change'::text, 'git_push'::text, 'github'::text, 'message'::text]))),
  constraint events_state_check CHECK ((state = ANY (ARRAY['accepted'::text, 'matched'::text, 'ignored'::text]))),
  constraint events_trigger_id_fkey FOREIGN KEY (trigger_id) REFERENCES triggers(id)
);

create table github_apps (
  id text not null,
  organization_id text not null,
  app_id bigint not null,
  slug text not null,
  name text not null,
  api_url text not null,
  web_url text not null,
  html_url text not null,
  client_id text,
  sealed_private_key text not null,
  sealed_webhook_secret text not null,
  sealed_client_secret text,
  last_delivery_at timestamp with time zone,
  reconciled_to timestamp with time zone not null default now(),
  reconcile_at timestamp with time zone not null default now(),
  reconcile_claim bigint not null default 0,
  reconcile_claimed_until timestamp with time zone,
  reconciliation jsonb,
  removed_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint github_apps_id_check CHECK ((id ~~ 'gha\_%'::text)),
  constraint github_apps_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint github_apps_pkey PRIMARY KEY (id)
);

create table github_arrivals (
  organization_id text not null,
  github_app_id text not null,
  guid text not null,
  event_id text,
  body_hash text not null,
  arrived_at timestamp with time zone not null default now(),
  constraint github_arrivals_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id) ON DELETE SET NULL,
  constraint github_arrivals_github_app_id_fkey FOREIGN KEY (github_app_id) REFERENCES github_apps(id) ON DELETE CASCADE,
  constraint github_arrivals_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint github_arrivals_pkey PRIMARY KEY (github_app_id, guid)
);

create table github_contexts (
  delivery_id text not null,
  organization_id text not null,
  github_app_id text not null,
  trigger_id text not null,
  installation_id bigint not null,
  repository_id bigint not null,
  repository text not null,
  number integer,
  comment_id bigint,
  comment_kind text,
  head_sha text,
  base_branch text,
  text_hash text not null,
  actor text not null,
  feedback jsonb not null,
  pushed_branch text,
  pushed_commit text,
  push_problem text,
  done_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint github_contexts_comment_kind_check CHECK ((comment_kind = ANY (ARRAY['issue'::text, 'review'::text]))),
  constraint github_contexts_delivery_id_check CHECK ((delivery_id ~~ 'dlv\_%'::text)),
  constraint github_contexts_github_app_id_fkey FOREIGN KEY (github_app_id) REFERENCES github_apps(id),
  constraint github_contexts_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint github_contexts_pkey PRIMARY KEY (delivery_id),
  constraint github_contexts_trigger_id_fkey FOREIGN KEY (trigger_id) REFERENCES triggers(id)
);

create table github_events (
  event_id text not null,
  organization_id text not null,
  github_app_id text not null,
  guid text not null,
  name text not null,
  action text,
  installation_id bigint,
  repository text,
  verdicts jsonb not null default '[]'::jsonb,
  tries integer not null default 0,
  last_error text,
  next_at timestamp with time zone default now(),
  constraint github_events_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id) ON DELETE CASCADE,
  constraint github_events_github_app_id_fkey FOREIGN KEY (github_app_id) REFERENCES github_apps(id),
  constraint github_events_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint github_events_pkey PRIMARY KEY (event_id)
);

create table github_setups (
  id text not null,
  organization_id text not null,
  state_hash text not null,
  api_url text not null,
  web_url text not null,
  owner text,
  app_name text not null,
  app_id text,
  expires_at timestamp with time zone not null,
  created_at timestamp with time zone not null default now(),
  constraint github_setups_app_id_fkey FOREIGN KEY (app_id) REFERENCES github_apps(id),
  constraint github_setups_id_check CHECK ((id ~~ 'ghs\_%'::text)),
  constraint github_setups_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint github_setups_pkey PRIMARY KEY (id),
  constraint github_setups_state_hash_key UNIQUE (state_hash)
);

create table idempotency_keys (
  organization_id text not null,
  caller text not null,
  key text not null,
  request_hash text not null,
  claim text not null,
  claimed_at timestamp with time zone not null default now(),
  answer text,
  constraint idempotency_keys_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint idempotency_keys_pkey PRIMARY KEY (caller, key)
);

create table jobs (
  id text not null,
  organization_id text not null,
  agent_id text not null,
  key text not null,
  name text not null,
  prompt text not null,
  workspace text,
  limits jsonb not null,
  rules jsonb not null,
  disabled_at timestamp with time zone,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  keep_runs integer,
  keep_days integer,
  approvals jsonb not null default '{}'::jsonb,
  budget jsonb,
  constraint jobs_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(id),
  constraint jobs_id_check CHECK ((id ~~ 'job\_%'::text)),
  constraint jobs_keep_days_check CHECK (((keep_days >= 1) AND (keep_days <= 3650))),
  constraint jobs_keep_runs_check CHECK (((keep_runs >= 1) AND (keep_runs <= 1000000))),
  constraint jobs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint jobs_pkey PRIMARY KEY (id)
);

create table machines (
  id text not null,
  organization_id text not null,
  name text not null,
  key_hash text not null,
  hostname text,
  os text,
  arch text,
  runner_version text,
  slots integer not null default 5,
  runtimes jsonb not null default '[]'::jsonb,
  instance_id text,
  boot_id text,
  session_epoch bigint not null default 0,
  last_heartbeat_at timestamp with time zone,
  goodbye_at timestamp with time zone,
  goodbye_cause text,
  draining_at timestamp with time zone,
  revoked_at timestamp with time zone,
  archived_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  facts jsonb,
  taken_over_at timestamp with time zone,
  constraint machines_goodbye_cause_check CHECK ((goodbye_cause = ANY (ARRAY['stopped'::text, 'restarting'::text, 'sleeping'::text]))),
  constraint machines_id_check CHECK ((id ~~ 'mch\_%'::text)),
  constraint machines_key_hash_key UNIQUE (key_hash),
  constraint machines_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint machines_pkey PRIMARY KEY (id),
  constraint machines_slots_check CHECK (((slots >= 0) AND (slots <= 100)))
);

create table members (
  organization_id text not null,
  user_id text not null,
  role text not null,
  created_at timestamp with time zone not null default now(),
  constraint members_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint members_pkey PRIMARY KEY (organization_id, user_id),
  constraint members_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'viewer'::text]))),
  constraint members_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table organizations (
  id text not null,
  slug text not null,
  name text not null,
  created_at timestamp with time zone not null default now(),
  keep_runs integer not null default 100,
  keep_days integer not null default 30,
  import_digest text,
  imported_at timestamp with time zone,
  constraint organizations_id_check CHECK ((id ~~ 'org\_%'::text)),
  constraint organizations_keep_days_check CHECK (((keep_days >= 1) AND (keep_days <= 3650))),
  constraint organizations_keep_runs_check CHECK (((keep_runs >= 1) AND (keep_runs <= 1000000))),
  constraint organizations_pkey PRIMARY KEY (id),
  constraint organizations_slug_key UNIQUE (slug)
);

create table outputs (
  id text not null,
  organization_id text not null,
  job_id text not null,
  kind text not null,
  moment text not null,
  config jsonb not null,
  message jsonb not null,
  secrets text,
  disabled_at timestamp with time zone,
  disabled_reason text,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint outputs_id_check CHECK ((id ~~ 'out\_%'::text)),
  constraint outputs_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id),
  constraint outputs_kind_check CHECK ((kind = ANY (ARRAY['log'::text, 'stdout'::text, 'file'::text, 'slack'::text, 'email'::text, 'webhook'::text, 'github_comment'::text, 'github_reaction'::text, 'github_check'::text, 'github_pull_request'::text, 'room'::text, 'lark'::text]))),
  constraint outputs_moment_check CHECK ((moment = ANY (ARRAY['accepted'::text, 'started'::text, 'success'::text, 'failure'::text, 'always'::text]))),
  constraint outputs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint outputs_pkey PRIMARY KEY (id)
);

create table run_controls (
  id text not null,
  organization_id text not null,
  run_id text not null,
  delivery_id text not null,
  machine_id text not null,
  fence bigint not null,
  kind text not null,
  approval_id text,
  text text,
  idempotency_key text,
  state text not null default 'queued'::text,
  reason text,
  made_by text,
  made_via text not null,
  created_at timestamp with time zone not null default now(),
  constraint run_controls_check CHECK (((kind = 'answer'::text) = (approval_id IS NOT NULL))),
  constraint run_controls_check1 CHECK (((kind = 'steer'::text) = (text IS NOT NULL))),
  constraint run_controls_id_check CHECK ((id ~~ 'ctl\_%'::text)),
  constraint run_controls_kind_check CHECK ((kind = ANY (ARRAY['answer'::text, 'steer'::text, 'interrupt'::text]))),
  constraint run_controls_made_by_fkey FOREIGN KEY (made_by) REFERENCES users(id),
  constraint run_controls_made_via_check CHECK ((made_via = ANY (ARRAY['dashboard'::text, 'cli'::text, 'sdk'::text, 'relay'::text]))),
  constraint run_controls_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint run_controls_pkey PRIMARY KEY (id),
  constraint run_controls_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE CASCADE,
  constraint run_controls_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'delivered'::text, 'consumed'::text, 'indeterminate'::text, 'refused'::text, 'lapsed'::text])))
);

create table run_events (
  run_id text not null,
  seq bigint not null,
  organization_id text not null,
  body text not null,
  stored_at timestamp with time zone not null default now(),
  constraint run_events_pkey PRIMARY KEY (run_id, seq),
  constraint run_events_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id),
  constraint run_events_seq_check CHECK ((seq >= 1))
);

create table runs (
  id text not null,
  organization_id text not null,
  delivery_id text not null,
  machine_id text not null,
  agent_id text not null,
  job_id text,
  attempt integer not null,
  fence bigint not null,
  state text not null default 'starting'::text,
  outcome text,
  error_kind text,
  message text,
  exit_code integer,
  signal text,
  session_id text,
  workspace text,
  result text,
  usage jsonb,
  kill_proof jsonb,
  last_seq bigint not null default 0,
  last_hash text not null,
  final_seq bigint,
  final_hash text,
  finish_key text,
  leased_at timestamp with time zone not null,
  accepted_at timestamp with time zone not null default now(),
  started_at timestamp with time zone,
  first_output_at timestamp with time zone,
  consumed_at timestamp with time zone,
  finished_at timestamp with time zone,
  changes jsonb,
  diff text,
  spawn jsonb,
  constraint runs_attempt_check CHECK ((attempt >= 1)),
  constraint runs_delivery_id_attempt_key UNIQUE (delivery_id, attempt),
  constraint runs_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries(id),
  constraint runs_error_kind_check CHECK ((error_kind = ANY (ARRAY['agent_missing'::text, 'not_signed_in'::text, 'quota'::text, 'api_error'::text, 'session_lost'::text, 'budget'::text, 'permission_denied'::text, 'timeout_silence'::text, 'timeout_wall'::text, 'crashed'::text, 'killed'::text, 'workspace'::text, 'container'::text, 'policy'::text, 'disk_full'::text, 'lost'::text, 'too_old'::text, 'internal'::text]))),
  constraint runs_id_check CHECK ((id ~~ 'run\_%'::text)),
  constraint runs_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'done_with_warnings'::text, 'changed_nothing'::text, 'blocked_by_permission'::text, 'needs_input'::text, 'error'::text]))),
  constraint runs_pkey PRIMARY KEY (id),
  constraint runs_state_check CHECK ((state = ANY (ARRAY['starting'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text, 'timed_out'::text, 'lost'::text, 'superseded'::text])))
);

create table sign_in_links (
  id text not null,
  organization_id text not null,
  user_id text not null,
  secret_hash text not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint sign_in_links_id_check CHECK ((id ~~ 'lnk\_%'::text)),
  constraint sign_in_links_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint sign_in_links_pkey PRIMARY KEY (id),
  constraint sign_in_links_secret_hash_key UNIQUE (secret_hash),
  constraint sign_in_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table tokens (
  id text not null,
  organization_id text not null,
  user_id text not null,
  name text not null,
  secret_hash text not null,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  scopes text[] not null default ARRAY['read'::text, 'run'::text, 'write'::text, 'admin'::text],
  constraint tokens_id_check CHECK ((id ~~ 'tok\_%'::text)),
  constraint tokens_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint tokens_pkey PRIMARY KEY (id),
  constraint tokens_scopes_check CHECK (((scopes <@ ARRAY['read'::text, 'run'::text, 'write'::text, 'admin'::text]) AND (cardinality(scopes) > 0))),
  constraint tokens_secret_hash_key UNIQUE (secret_hash),
  constraint tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table triggers (
  id text not null,
  organization_id text not null,
  job_id text not null,
  kind text not null,
  path text,
  scheme text,
  secrets text[] not null default '{}'::text[],
  deleted_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  config jsonb not null default '{}'::jsonb,
  paused_at timestamp with time zone,
  next_fire_at timestamp with time zone,
  watch jsonb,
  constraint triggers_check CHECK (((kind = 'webhook'::text) = ((path IS NOT NULL) AND (scheme IS NOT NULL)))),
  constraint triggers_id_check CHECK ((id ~~ 'trg\_%'::text)),
  constraint triggers_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id),
  constraint triggers_kind_check CHECK ((kind = ANY (ARRAY['webhook'::text, 'manual'::text, 'cron'::text, 'interval'::text, 'file_change'::text, 'git_push'::text, 'github'::text, 'message'::text]))),
  constraint triggers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint triggers_path_key UNIQUE (path),
  constraint triggers_pkey PRIMARY KEY (id),
  constraint triggers_scheme_check CHECK ((scheme = ANY (ARRAY['github'::text, 'standard'::text, 'slack'::text, 'stripe'::text, 'lark'::text, 'baton'::text, 'bearer'::text, 'none'::text])))
);

create table undos (
  id text not null,
  organization_id text not null,
  run_id text not null,
  machine_id text not null,
  kind text not null,
  dry_run boolean not null,
  state text not null default 'asked'::text,
  message text,
  files jsonb not null default '[]'::jsonb,
  blocked jsonb not null default '[]'::jsonb,
  created_at timestamp with time zone not null default now(),
  settled_at timestamp with time zone,
  constraint undos_check CHECK (((state = 'asked'::text) = (settled_at IS NULL))),
  constraint undos_id_check CHECK ((id ~~ 'und\_%'::text)),
  constraint undos_kind_check CHECK ((kind = ANY (ARRAY['undo'::text, 'redo'::text]))),
  constraint undos_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines(id),
  constraint undos_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint undos_pkey PRIMARY KEY (id),
  constraint undos_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE CASCADE,
  constraint undos_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'done'::text, 'refused'::text])))
);

create table usage_days (
  organization_id text not null,
  day date not null,
  agent_id text not null,
  machine_id text not null,
  job_id text,
  model text,
  runs bigint not null,
  priced_runs bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cached_tokens bigint not null,
  cost_usd double precision not null,
  constraint usage_days_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(id),
  constraint usage_days_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id),
  constraint usage_days_key UNIQUE NULLS NOT DISTINCT (organization_id, day, agent_id, machine_id, job_id, model),
  constraint usage_days_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines(id),
  constraint usage_days_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id)
);

create table user_sessions (
  id text not null,
  organization_id text not null,
  user_id text not null,
  secret_hash text not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint user_sessions_id_check CHECK ((id ~~ 'ses\_%'::text)),
  constraint user_sessions_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint user_sessions_pkey PRIMARY KEY (id),
  constraint user_sessions_secret_hash_key UNIQUE (secret_hash),
  constraint user_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id)
);

create table users (
  id text not null,
  email text,
  name text not null,
  created_at timestamp with time zone not null default now(),
  constraint users_email_key UNIQUE (email),
  constraint users_id_check CHECK ((id ~~ 'usr\_%'::text)),
  constraint users_pkey PRIMARY KEY (id)
);

CREATE INDEX agent_sessions_newest ON public.agent_sessions USING btree (organization_id, updated_at DESC);

CREATE INDEX agents_machine ON public.agents USING btree (machine_id);

CREATE INDEX approvals_expiring ON public.approvals USING btree (expires_at) WHERE (state = 'open'::text);

CREATE INDEX approvals_newest ON public.approvals USING btree (organization_id, id DESC);

CREATE INDEX approvals_open ON public.approvals USING btree (organization_id, id) WHERE (state = 'open'::text);

CREATE INDEX deliveries_concurrency ON public.deliveries USING btree (concurrency_key) WHERE ((concurrency_key IS NOT NULL) AND ((state = ANY (ARRAY['leased'::text, 'running'::text, 'stalled'::text])) OR ((state = 'pending'::text) AND (fence > 0))));

CREATE INDEX deliveries_event ON public.deliveries USING btree (event_id);

CREATE INDEX deliveries_expires ON public.deliveries USING btree (expires_at) WHERE ((state = ANY (ARRAY['pending'::text, 'parked'::text])) AND (expires_at IS NOT NULL));

CREATE INDEX deliveries_job ON public.deliveries USING btree (job_id, id) WHERE ((state = 'pending'::text) AND (job_id IS NOT NULL));

CREATE INDEX deliveries_lanes ON public.deliveries USING btree (machine_id, lane, agent_id, priority DESC, id) WHERE ((state = 'pending'::text) AND (lane IS NOT NULL));

CREATE INDEX deliveries_live ON public.deliveries USING btree (machine_id) WHERE ((state = ANY (ARRAY['leased'::text, 'running'::text, 'stalled'::text])) OR ((state = 'pending'::text) AND (fence > 0)));

CREATE INDEX deliveries_newest ON public.deliveries USING btree (organization_id, id DESC);

CREATE INDEX deliveries_parked ON public.deliveries USING btree (parked_until) WHERE ((state = 'parked'::text) AND (parked_until IS NOT NULL));

CREATE INDEX deliveries_pending ON public.deliveries USING btree (machine_id, agent_id, priority DESC, id) WHERE ((state = 'pending'::text) AND (lane IS NULL));

CREATE INDEX deliveries_places ON public.deliveries USING btree (machine_id, agent_id, COALESCE(lane, ''::text), COALESCE(job_id, ''::text), priority DESC, id) WHERE ((state = 'pending'::text) AND (agent_id IS NOT NULL));

CREATE INDEX deliveries_replace ON public.deliveries USING btree (overlap_key) WHERE ((overlap = 'replace'::text) AND (state = ANY (ARRAY['pending'::text, 'parked'::text, 'leased'::text, 'running'::text, 'stalled'::text])));

CREATE INDEX deliveries_stalled ON public.deliveries USING btree (state_since) WHERE ((state = 'stalled'::text) AND (stall_ms IS NOT NULL));

CREATE INDEX dispatches_delivery ON public.dispatches USING btree (delivery_id);

CREATE INDEX dispatches_due ON public.dispatches USING btree (next_at) WHERE ((state = ANY (ARRAY['pending'::text, 'sending'::text])) AND (machine_id IS NULL));

CREATE INDEX dispatches_event ON public.dispatches USING btree (event_id);

CREATE INDEX dispatches_machine ON public.dispatches USING btree (machine_id, next_at) WHERE ((state = ANY (ARRAY['pending'::text, 'sending'::text])) AND (machine_id IS NOT NULL));

CREATE INDEX dispatches_newest ON public.dispatches USING btree (organization_id, id DESC);

CREATE INDEX dispatches_output ON public.dispatches USING btree (output_id, id DESC);

CREATE INDEX dispatches_sent ON public.dispatches USING btree (output_id, sent_at) WHERE (sent_at IS NOT NULL);

CREATE INDEX dispatches_troubled ON public.dispatches USING btree (organization_id, id DESC) WHERE (state = ANY (ARRAY['failed'::text, 'dead'::text]));

CREATE INDEX events_caused ON public.events USING btree (job_id, id) WHERE (hops > 0);

CREATE INDEX events_job ON public.events USING btree (job_id, id DESC);

CREATE INDEX events_newest ON public.events USING btree (organization_id, id DESC);

CREATE INDEX events_without_job ON public.events USING btree (organization_id, id) WHERE (job_id IS NULL);

CREATE INDEX github_apps_organization ON public.github_apps USING btree (organization_id) WHERE (removed_at IS NULL);

CREATE INDEX github_arrivals_event ON public.github_arrivals USING btree (event_id);

CREATE INDEX github_arrivals_old ON public.github_arrivals USING btree (arrived_at);

CREATE INDEX github_contexts_open ON public.github_contexts USING btree (created_at) WHERE (done_at IS NULL);

CREATE INDEX github_events_app ON public.github_events USING btree (github_app_id);

CREATE INDEX github_events_due ON public.github_events USING btree (next_at) WHERE (next_at IS NOT NULL);

CREATE INDEX idempotency_keys_old ON public.idempotency_keys USING btree (claimed_at);

CREATE INDEX outputs_job ON public.outputs USING btree (job_id) WHERE (deleted_at IS NULL);

CREATE INDEX run_controls_queued ON public.run_controls USING btree (machine_id, id) WHERE (state = 'queued'::text);

CREATE INDEX run_controls_run ON public.run_controls USING btree (run_id, id);

CREATE INDEX run_controls_unsettled ON public.run_controls USING btree (id) WHERE ((state = 'queued'::text) OR ((state = 'delivered'::text) AND (kind = 'steer'::text)));

CREATE INDEX runs_agent ON public.runs USING btree (agent_id, accepted_at);

CREATE INDEX runs_job ON public.runs USING btree (job_id, accepted_at);

CREATE INDEX runs_machine ON public.runs USING btree (machine_id, accepted_at);

CREATE INDEX runs_newest ON public.runs USING btree (organization_id, id DESC);

CREATE INDEX triggers_job ON public.triggers USING btree (job_id);

CREATE INDEX triggers_schedules ON public.triggers USING btree (next_fire_at) WHERE ((kind = ANY (ARRAY['cron'::text, 'interval'::text])) AND (deleted_at IS NULL));

CREATE INDEX undos_machine ON public.undos USING btree (machine_id) WHERE (state = 'asked'::text);

CREATE INDEX undos_run ON public.undos USING btree (run_id, id DESC);

CREATE INDEX usage_days_agent ON public.usage_days USING btree (agent_id, day);

CREATE INDEX usage_days_job ON public.usage_days USING btree (job_id, day) WHERE (job_id IS NOT NULL);

CREATE OR REPLACE FUNCTION public.hold_key_limit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended(new.concurrency_key, 0));
  if (select count(*) from deliveries where concurrency_key = new.concurrency_key
      and state in ('leased', 'running', 'stalled')) >= new.concurrency_limit then
    return null;
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.machine_state(m machines)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when m.archived_at is not null then 'archived'
    when m.revoked_at is not null then 'revoked'
    when m.goodbye_at is not null or m.last_heartbeat_at is null
      or m.last_heartbeat_at < now() - interval '30 seconds' then 'offline'
    when m.draining_at is not null then 'draining'
    else 'online' end
$function$
;

CREATE OR REPLACE FUNCTION public.tell_coalesced()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update events set state = 'ignored', reason = 'coalesced', coalesced_into = new.id
  where id = old.event_id and state = 'matched';
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.uuid7_hex()
 RETURNS text
 LANGUAGE sql
AS $function$
  select lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(r, 1, 3) || '8' || substr(r, 5, 15)
  from replace(gen_random_uuid()::text, '-', '') as r
$function$
;

CREATE TRIGGER deliveries_coalesced AFTER UPDATE OF event_id ON public.deliveries FOR EACH ROW WHEN ((old.event_id IS DISTINCT FROM new.event_id)) EXECUTE FUNCTION tell_coalesced();

CREATE TRIGGER deliveries_key_limit BEFORE UPDATE OF fence ON public.deliveries FOR EACH ROW WHEN (((new.concurrency_limit > 1) AND (new.state = 'leased'::text) AND (old.state = 'pending'::text))) EXECUTE FUNCTION hold_key_limit();

CREATE UNIQUE INDEX agents_key ON public.agents USING btree (organization_id, key) WHERE (archived_at IS NULL);

CREATE UNIQUE INDEX deliveries_coalesce ON public.deliveries USING btree (overlap_key) WHERE ((overlap = 'coalesce'::text) AND (state = ANY (ARRAY['pending'::text, 'parked'::text])) AND (fence = 0));

CREATE UNIQUE INDEX deliveries_one_at_a_time ON public.deliveries USING btree (concurrency_key) WHERE ((state = ANY (ARRAY['leased'::text, 'running'::text, 'stalled'::text])) AND (concurrency_limit = 1));

CREATE UNIQUE INDEX deliveries_one_per_lane ON public.deliveries USING btree (machine_id, lane) WHERE ((state = ANY (ARRAY['leased'::text, 'running'::text, 'stalled'::text])) AND (lane IS NOT NULL));

CREATE UNIQUE INDEX deliveries_skip ON public.deliveries USING btree (overlap_key) WHERE ((overlap = 'skip'::text) AND (state = ANY (ARRAY['pending'::text, 'parked'::text, 'leased'::text, 'running'::text, 'stalled'::text])));

CREATE UNIQUE INDEX events_dedup ON public.events USING btree (dedup_scope, dedup_key);

CREATE UNIQUE INDEX github_apps_app ON public.github_apps USING btree (api_url, app_id) WHERE (removed_at IS NULL);

CREATE UNIQUE INDEX jobs_key ON public.jobs USING btree (organization_id, key) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX machines_name ON public.machines USING btree (organization_id, name) WHERE (archived_at IS NULL);

CREATE UNIQUE INDEX run_controls_key ON public.run_controls USING btree (run_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE UNIQUE INDEX undos_open ON public.undos USING btree (run_id) WHERE (state = 'asked'::text);

create sequence fences;
