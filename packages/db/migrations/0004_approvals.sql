-- What an agent's questions come to: `{}` follows the defaults (an agent) or the agent (a job).
alter table agents add column approvals jsonb not null default '{}';
alter table jobs add column approvals jsonb not null default '{}';

-- A question that an agent needs answered before an exact action. The first answer wins.
create table approvals (
  id text primary key check (id like 'apr\_%'),
  organization_id text not null references organizations (id),
  run_id text not null references runs (id) on delete cascade,
  delivery_id text not null,
  fence bigint not null,
  -- The agent's own number for its question.
  ask text not null,
  tool text not null,
  summary text not null,
  input jsonb not null,
  input_cut boolean not null default false,
  cwd text not null,
  -- SHA-256 of the exact action. The runner refuses an answer to any other.
  action_hash text not null check (action_hash ~ '^[0-9a-f]{64}$'),
  state text not null default 'open' check (state in ('open', 'allowed', 'denied', 'expired', 'withdrawn')),
  asked_at timestamptz not null default now(),
  expires_at timestamptz not null,
  scope text check (scope in ('once', 'session', 'job')),
  pattern text,
  message text,
  answered_by text references users (id),
  -- Of a person of another relay, from where it was imported.
  answered_name text,
  answered_via text check (answered_via in ('dashboard', 'cli', 'sdk', 'relay')),
  answered_at timestamptz,
  unique (run_id, ask),
  check ((state = 'open') = (answered_at is null)),
  check ((state in ('allowed', 'denied')) = (coalesce(answered_by, answered_name) is not null)),
  check ((state = 'allowed') = (scope is not null))
);
create index approvals_newest on approvals (organization_id, id desc);
create index approvals_open on approvals (organization_id, id) where state = 'open';
create index approvals_expiring on approvals (expires_at) where state = 'open';

-- What people tell a run that goes on. Sent again until its machine has it on its disk.
create table run_controls (
  id text primary key check (id like 'ctl\_%'),
  organization_id text not null references organizations (id),
  run_id text not null references runs (id) on delete cascade,
  delivery_id text not null,
  machine_id text not null,
  fence bigint not null,
  kind text not null check (kind in ('answer', 'steer', 'interrupt')),
  approval_id text,
  text text,
  idempotency_key text,
  state text not null default 'queued'
    check (state in ('queued', 'delivered', 'consumed', 'indeterminate', 'refused', 'lapsed')),
  reason text,
  made_by text references users (id),
  made_via text not null check (made_via in ('dashboard', 'cli', 'sdk', 'relay')),
  created_at timestamptz not null default now(),
  check ((kind = 'answer') = (approval_id is not null)),
  check ((kind = 'steer') = (text is not null))
);
create index run_controls_run on run_controls (run_id, id);
create index run_controls_queued on run_controls (machine_id, id) where state = 'queued';
create index run_controls_unsettled on run_controls (id) where state in ('queued', 'delivered');
create unique index run_controls_key on run_controls (run_id, idempotency_key) where idempotency_key is not null;
