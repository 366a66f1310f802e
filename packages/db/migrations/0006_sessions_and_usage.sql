-- Work that waits for its agent's conversation, account or budget, and what was used.

-- trust: 'public' when its text came from outside the organization. nudge: its newest run's session has the prompt already.
-- recovered: it was started afresh once because its conversation was gone.
alter table deliveries
  add column trust text not null default 'member' check (trust in ('member', 'public')),
  add column conversation text,
  add column nudge boolean not null default false,
  add column recovered boolean not null default false;

-- spawn: how its agent was started and how it ended, with the names of its environment and none of the values.
alter table runs add column spawn jsonb;

-- An agent that is blocked takes no work until then; without a time, until a person or a new sign-in ends it.
-- quota_strikes counts how often in a row its account was used up without saying until when.
alter table agents
  add column budget jsonb,
  add column blocked_reason text check (blocked_reason in ('quota', 'not_signed_in')),
  add column blocked_message text,
  add column blocked_at timestamptz,
  add column blocked_until timestamptz,
  add column quota_strikes int not null default 0,
  add constraint agents_blocked_check check ((blocked_reason is null) = (blocked_at is null));
alter table jobs add column budget jsonb;

-- The agent CLI's own conversation, to go on with. It lives on one machine and belongs to one folder.
create table agent_sessions (
  organization_id text collate "C" not null references organizations,
  agent_id text collate "C" not null references agents,
  conversation text not null,
  runtime text not null,
  machine_id text collate "C" not null references machines,
  session_id text not null,
  cwd text,
  updated_at timestamptz not null default now(),
  primary key (agent_id, conversation)
);
create index agent_sessions_newest on agent_sessions (organization_id, updated_at desc);

-- What was used on each day (UTC). Written by the statement that settles a run, and kept when the run is deleted.
create table usage_days (
  organization_id text collate "C" not null references organizations,
  day date not null,
  agent_id text collate "C" not null references agents,
  machine_id text collate "C" not null references machines,
  job_id text collate "C" references jobs,
  model text,
  runs bigint not null,
  priced_runs bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cached_tokens bigint not null,
  cost_usd double precision not null,
  constraint usage_days_key unique nulls not distinct (organization_id, day, agent_id, machine_id, job_id, model)
);
create index usage_days_agent on usage_days (agent_id, day);
create index usage_days_job on usage_days (job_id, day) where job_id is not null;

create table agent_secrets (
  organization_id text collate "C" not null references organizations,
  agent_id text collate "C" not null references agents,
  name text not null check (name ~ '^[A-Za-z_][A-Za-z0-9_]*$'),
  sealed text not null,
  updated_at timestamptz not null default now(),
  primary key (agent_id, name)
);

create table agent_skills (
  organization_id text collate "C" not null references organizations,
  agent_id text collate "C" not null references agents,
  name text not null check (name ~ '^[a-z0-9][a-z0-9-]*$'),
  description text not null,
  text text not null,
  hash text not null,
  updated_at timestamptz not null default now(),
  primary key (agent_id, name)
);
