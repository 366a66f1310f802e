-- Why an event of GitHub fired nothing.
alter table events drop constraint events_reason_check;
alter table events add constraint events_reason_check check (reason in ('job_disabled', 'job_deleted', 'agent_archived',
  'filtered', 'no_job', 'overlap_skipped', 'coalesced', 'trigger_paused', 'missed', 'loop', 'own_event', 'actor_refused',
  'fork_refused', 'text_edited'));

-- GitHub Apps of organizations. Keys and secrets are encrypted with a key derived from BATON_SECRET.
create table github_apps (
  id text collate "C" primary key check (id like 'gha\_%'),
  organization_id text collate "C" not null references organizations,
  -- GitHub's own number of the App, its account name and the numeric id of its bot user.
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
  last_delivery_at timestamptz,
  -- Deliveries listed by GitHub up to here have all arrived or were given up.
  reconciled_to timestamptz not null default now(),
  reconcile_at timestamptz not null default now(),
  -- One relay at a time looks for missed deliveries.
  reconcile_claim bigint not null default 0,
  reconcile_claimed_until timestamptz,
  reconciliation jsonb,
  removed_at timestamptz,
  created_at timestamptz not null default now()
);
create unique index github_apps_app on github_apps (api_url, app_id) where removed_at is null;
create index github_apps_organization on github_apps (organization_id) where removed_at is null;

-- Set-ups by manifest that a person began: one use each, kept by the hash of their state.
create table github_setups (
  id text collate "C" primary key check (id like 'ghs\_%'),
  organization_id text collate "C" not null references organizations,
  state_hash text not null unique,
  api_url text not null,
  web_url text not null,
  owner text,
  app_name text not null,
  app_id text collate "C" references github_apps,
  expires_at timestamptz not null,
  created_at timestamptz not null default now()
);

-- What the matcher knows of an event beyond the event itself.
create table github_events (
  event_id text collate "C" primary key references events on delete cascade,
  organization_id text collate "C" not null references organizations,
  github_app_id text collate "C" not null references github_apps,
  guid text not null,
  name text not null,
  action text,
  installation_id bigint,
  repository text,
  -- Each trigger that was looked at and why it did or did not fire.
  verdicts jsonb not null default '[]',
  tries integer not null default 0,
  last_error text,
  -- When to look (again); null: decided.
  next_at timestamptz default now()
);
create index github_events_due on github_events (next_at) where next_at is not null;
create index github_events_app on github_events (github_app_id);

-- Every delivery id that arrived, repeats of a body under another id included: GitHub signs the body alone.
create table github_arrivals (
  organization_id text collate "C" not null references organizations,
  github_app_id text collate "C" not null references github_apps on delete cascade,
  guid text not null,
  event_id text collate "C" references events on delete set null,
  body_hash text not null,
  arrived_at timestamptz not null default now(),
  primary key (github_app_id, guid)
);
create index github_arrivals_old on github_arrivals (arrived_at);
create index github_arrivals_event on github_arrivals (event_id);

-- What a delivery is to GitHub: where to tell of it and what its run may push. Written before the delivery is.
create table github_contexts (
  delivery_id text collate "C" primary key check (delivery_id like 'dlv\_%'),
  organization_id text collate "C" not null references organizations,
  github_app_id text collate "C" not null references github_apps,
  trigger_id text collate "C" not null references triggers,
  installation_id bigint not null,
  repository_id bigint not null,
  repository text not null,
  number integer,
  comment_id bigint,
  comment_kind text check (comment_kind in ('issue', 'review')),
  head_sha text,
  base_branch text,
  -- Of the text that was approved: what the agent gets is this text and no later one.
  text_hash text not null,
  actor text not null,
  feedback jsonb not null,
  pushed_branch text,
  pushed_commit text,
  push_problem text,
  done_at timestamptz,
  created_at timestamptz not null default now()
);
create index github_contexts_open on github_contexts (created_at) where done_at is null;
