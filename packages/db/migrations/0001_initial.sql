-- Everything a tenant owns carries its organization, from the first migration.
-- Ids are text: a prefix and a UUIDv7 in hex (packages/protocol/src/ids.ts), so byte order is time order.

create table organizations (
  id text collate "C" primary key check (id like 'org\_%'),
  slug text not null unique,
  name text not null,
  created_at timestamptz not null default now()
);

create table users (
  id text collate "C" primary key check (id like 'usr\_%'),
  email text unique,
  name text not null,
  created_at timestamptz not null default now()
);

create table members (
  organization_id text collate "C" not null references organizations,
  user_id text collate "C" not null references users,
  role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
  created_at timestamptz not null default now(),
  primary key (organization_id, user_id)
);

-- One-time sign-in links, browser sessions and API tokens are kept as SHA-256 of the secret.
create table sign_in_links (
  id text collate "C" primary key check (id like 'lnk\_%'),
  organization_id text collate "C" not null references organizations,
  user_id text collate "C" not null references users,
  secret_hash text not null unique,
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now()
);

create table user_sessions (
  id text collate "C" primary key check (id like 'ses\_%'),
  organization_id text collate "C" not null references organizations,
  user_id text collate "C" not null references users,
  secret_hash text not null unique,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);

create table tokens (
  id text collate "C" primary key check (id like 'tok\_%'),
  organization_id text collate "C" not null references organizations,
  user_id text collate "C" not null references users,
  name text not null,
  secret_hash text not null unique,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);

create table machines (
  id text collate "C" primary key check (id like 'mch\_%'),
  organization_id text collate "C" not null references organizations,
  name text not null,
  key_hash text not null unique,
  hostname text,
  os text,
  arch text,
  runner_version text,
  slots integer not null default 5 check (slots between 0 and 100),
  runtimes jsonb not null default '[]',
  -- The runner process that owns the machine now, and the number of its newest session. Only a statement that names
  -- this epoch may lease, so of two sessions at once the older one gets nothing.
  instance_id text,
  boot_id text,
  session_epoch bigint not null default 0,
  last_heartbeat_at timestamptz,
  goodbye_at timestamptz,
  goodbye_cause text check (goodbye_cause in ('stopped', 'restarting', 'sleeping')),
  draining_at timestamptz,
  revoked_at timestamptz,
  archived_at timestamptz,
  created_at timestamptz not null default now()
);
create unique index machines_name on machines (organization_id, name) where archived_at is null;

create table agents (
  id text collate "C" primary key check (id like 'agt\_%'),
  organization_id text collate "C" not null references organizations,
  machine_id text collate "C" not null references machines,
  key text not null,
  name text not null,
  runtime text not null check (runtime in ('claude', 'codex', 'gemini', 'opencode', 'acp', 'chat', 'command')),
  command text,
  instructions text not null default '',
  model text,
  permission_mode text not null default 'edit' check (permission_mode in ('read_only', 'edit', 'full')),
  workspace text,
  max_concurrent integer not null default 5 check (max_concurrent between 1 and 100),
  per_hour integer check (per_hour >= 1),
  paused_at timestamptz,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  check ((runtime = 'command') = (command is not null))
);
create unique index agents_key on agents (organization_id, key) where archived_at is null;
create index agents_machine on agents (machine_id);

create table jobs (
  id text collate "C" primary key check (id like 'job\_%'),
  organization_id text collate "C" not null references organizations,
  agent_id text collate "C" not null references agents,
  key text not null,
  name text not null,
  prompt text not null,
  workspace text,
  limits jsonb not null,
  rules jsonb not null,
  disabled_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index jobs_key on jobs (organization_id, key) where deleted_at is null;

create table triggers (
  id text collate "C" primary key check (id like 'trg\_%'),
  organization_id text collate "C" not null references organizations,
  job_id text collate "C" not null references jobs,
  kind text not null check (kind in ('webhook', 'manual')),
  path text unique,
  scheme text check (scheme in ('github', 'standard', 'baton')),
  -- Encrypted with a key derived from BATON_SECRET; the first is the newest, two are valid during a rotation.
  secrets text[] not null default '{}',
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  check ((kind = 'webhook') = (path is not null and scheme is not null))
);
create index triggers_job on triggers (job_id);

create table events (
  id text collate "C" primary key check (id like 'evt\_%'),
  organization_id text collate "C" not null references organizations,
  job_id text collate "C" references jobs,
  trigger_id text collate "C" references triggers,
  source text not null check (source in ('webhook', 'manual')),
  state text not null check (state in ('accepted', 'matched', 'ignored')),
  reason text check (reason in ('job_disabled', 'job_deleted', 'agent_archived', 'filtered', 'no_job', 'overlap_skipped',
    'coalesced')),
  -- What makes a repeat a repeat: the trigger (or the caller) and the sender's own id, or the hash of the body.
  dedup_scope text not null,
  dedup_key text not null,
  body_hash text not null,
  content_type text,
  headers jsonb not null default '{}',
  body bytea not null,
  received_at timestamptz not null default now(),
  check ((state = 'ignored') = (reason is not null))
);
create unique index events_dedup on events (dedup_scope, dedup_key);
create index events_newest on events (organization_id, id desc);
create index events_job on events (job_id, id desc);

-- Grows with every lease and is never granted twice: the lease statements commit with full durability.
create sequence fences as bigint;

-- pending → leased → running → succeeded | failed | cancelled, and back (docs/states.md).
create table deliveries (
  id text collate "C" primary key check (id like 'dlv\_%'),
  organization_id text collate "C" not null references organizations,
  event_id text collate "C" not null references events,
  job_id text collate "C" references jobs,
  agent_id text collate "C" not null references agents,
  machine_id text collate "C" not null references machines,
  state text not null default 'pending' check (state in
    ('pending', 'leased', 'running', 'stalled', 'parked', 'succeeded', 'failed', 'cancelled', 'dead', 'expired')),
  -- Why it is where it is, as a code and a sentence.
  reason text,
  reason_message text,
  -- The newest run, or the one that the next lease will make: known from the first moment.
  run_id text collate "C" not null unique check (run_id like 'run\_%'),
  attempt integer not null default 0 check (attempt >= 0),
  max_attempts integer not null default 3 check (max_attempts >= 1),
  repeatable boolean not null default false,
  priority integer not null default 0,
  fence bigint not null default 0,
  workspace text,
  -- Deliveries in the same lane of a machine (a folder) never hold leases at the same time; null runs beside all others.
  lane text,
  prompt text not null,
  limits jsonb not null,
  -- What must wait for a time is parked, so that what is pending can be leased at once.
  parked_until timestamptz,
  expires_at timestamptz,
  stall_ms bigint,
  concurrency_key text,
  concurrency_limit integer check (concurrency_limit >= 1),
  overlap text not null default 'queue' check (overlap in ('queue', 'skip', 'replace', 'coalesce')),
  overlap_key text,
  leased_at timestamptz,
  accepted_at timestamptz,
  lease_expires_at timestamptz,
  cancel_requested_at timestamptz,
  cancel_reason text,
  finish_key text,
  created_at timestamptz not null default now(),
  state_since timestamptz not null default now(),
  finished_at timestamptz,
  check ((state in ('leased', 'running')) = (lease_expires_at is not null)),
  check ((overlap = 'queue') = (overlap_key is null)),
  check ((concurrency_key is null) = (concurrency_limit is null))
) with (fillfactor = 70);
create index deliveries_pending on deliveries (machine_id, agent_id, priority desc, id)
  where state = 'pending' and lane is null;
create index deliveries_lanes on deliveries (machine_id, lane, agent_id, priority desc, id)
  where state = 'pending' and lane is not null;
create index deliveries_live on deliveries (machine_id) where state in ('leased', 'running', 'stalled');
create unique index deliveries_one_per_lane on deliveries (machine_id, lane)
  where state in ('leased', 'running', 'stalled') and lane is not null;
create unique index deliveries_one_at_a_time on deliveries (concurrency_key)
  where state in ('leased', 'running', 'stalled') and concurrency_limit = 1;
create index deliveries_concurrency on deliveries (concurrency_key)
  where state in ('leased', 'running', 'stalled') and concurrency_key is not null;
create unique index deliveries_skip on deliveries (overlap_key)
  where overlap = 'skip' and state in ('pending', 'parked', 'leased', 'running', 'stalled');
-- Only what was never leased gives its place to a newer event, so that a lease that ends can always go back.
create unique index deliveries_coalesce on deliveries (overlap_key)
  where overlap = 'coalesce' and state in ('pending', 'parked') and fence = 0;
create index deliveries_replace on deliveries (overlap_key)
  where overlap = 'replace' and state in ('pending', 'parked', 'leased', 'running', 'stalled');
create index deliveries_parked on deliveries (parked_until) where state = 'parked' and parked_until is not null;
create index deliveries_expires on deliveries (expires_at) where state in ('pending', 'parked') and expires_at is not null;
create index deliveries_stalled on deliveries (state_since) where state = 'stalled' and stall_ms is not null;
create index deliveries_job on deliveries (job_id, id) where state = 'pending';
create index deliveries_expiring on deliveries (lease_expires_at) where state in ('leased', 'running');
create index deliveries_event on deliveries (event_id);
create index deliveries_newest on deliveries (organization_id, id desc);

-- One execution of a delivery under one lease: starting → running → its end.
create table runs (
  id text collate "C" primary key check (id like 'run\_%'),
  organization_id text collate "C" not null references organizations,
  delivery_id text collate "C" not null references deliveries,
  machine_id text collate "C" not null references machines,
  agent_id text collate "C" not null references agents,
  job_id text collate "C" references jobs,
  attempt integer not null check (attempt >= 1),
  fence bigint not null,
  state text not null default 'starting' check (state in
    ('starting', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out', 'lost', 'superseded')),
  outcome text check (outcome in
    ('done', 'done_with_warnings', 'changed_nothing', 'blocked_by_permission', 'needs_input', 'error')),
  error_kind text check (error_kind in ('agent_missing', 'not_signed_in', 'quota', 'api_error', 'permission_denied',
    'timeout_silence', 'timeout_wall', 'crashed', 'killed', 'workspace', 'policy', 'disk_full', 'lost', 'too_old', 'internal')),
  message text,
  exit_code integer,
  signal text,
  session_id text,
  workspace text,
  result text,
  usage jsonb,
  kill_proof jsonb,
  -- The transcript as stored here, and as the runner said it ended.
  last_seq bigint not null default 0,
  last_hash text not null,
  final_seq bigint,
  final_hash text,
  finish_key text,
  leased_at timestamptz not null,
  accepted_at timestamptz not null default now(),
  started_at timestamptz,
  first_output_at timestamptz,
  consumed_at timestamptz,
  finished_at timestamptz,
  unique (delivery_id, attempt)
) with (fillfactor = 70);
create index runs_newest on runs (organization_id, id desc);
create index runs_job on runs (job_id, accepted_at);
create index runs_agent on runs (agent_id, accepted_at);

-- A run's transcript. `body` is the event's text exactly as it was hashed.
create table run_events (
  run_id text collate "C" not null references runs,
  seq bigint not null check (seq >= 1),
  organization_id text collate "C" not null,
  body text not null,
  stored_at timestamptz not null default now(),
  primary key (run_id, seq)
);

-- lz4 costs a sixth of pglz on every webhook body; servers built without it keep their default.
do $$ begin
  alter table events alter column body set compression lz4;
  alter table run_events alter column body set compression lz4;
exception when feature_not_supported then null;
end $$;

-- A UUIDv7 in hex, for the id of the next attempt's run.
create function uuid7_hex() returns text language sql volatile as $$
  select lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(r, 1, 3) || '8' || substr(r, 5, 15)
  from replace(gen_random_uuid()::text, '-', '') as r
$$;

-- What a machine is right now, by this clock: online needs a heartbeat within two of its 15 s periods.
create function machine_state(m machines) returns text language sql stable as $$
  select case
    when m.archived_at is not null then 'archived'
    when m.revoked_at is not null then 'revoked'
    when m.goodbye_at is not null or m.last_heartbeat_at is null
      or m.last_heartbeat_at < now() - interval '30 seconds' then 'offline'
    when m.draining_at is not null then 'draining'
    else 'online' end
$$;
