-- Where the results of a job go. Secrets are one text, encrypted with a key derived from BATON_SECRET.
create table outputs (
  id text collate "C" primary key check (id like 'out\_%'),
  organization_id text collate "C" not null references organizations,
  job_id text collate "C" not null references jobs,
  kind text not null check (kind in ('log', 'stdout', 'file', 'slack', 'email', 'webhook', 'github_comment',
    'github_reaction', 'github_check', 'github_pull_request', 'room', 'lark')),
  moment text not null check (moment in ('accepted', 'started', 'success', 'failure', 'always')),
  config jsonb not null,
  message jsonb not null,
  secrets text,
  disabled_at timestamptz,
  -- Set when it was switched off by itself.
  disabled_reason text,
  deleted_at timestamptz,
  created_at timestamptz not null default now()
);
create index outputs_job on outputs (job_id) where deleted_at is null;

-- The outbox: one sending of one output, written by the statement that makes its moment true.
-- pending → sending → sent | failed | dead | skipped, and back to pending for another try (docs/states.md).
create table dispatches (
  id text collate "C" primary key check (id like 'dsp\_%'),
  organization_id text collate "C" not null references organizations,
  output_id text collate "C" references outputs,
  job_id text collate "C" references jobs,
  event_id text collate "C" references events on delete cascade,
  delivery_id text collate "C" references deliveries on delete cascade,
  run_id text collate "C",
  kind text not null check (kind in ('log', 'stdout', 'file', 'slack', 'email', 'webhook', 'github_comment',
    'github_reaction', 'github_check', 'github_pull_request', 'room', 'lark')),
  -- One key for all tries, and for every statement that could write this row.
  key text not null unique,
  -- Of an effect that belongs to no output.
  config jsonb,
  -- Set for what a runner carries out.
  machine_id text collate "C" references machines,
  state text not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed', 'dead', 'skipped')),
  -- The lease of the delivery whose end wrote this row.
  fence bigint not null default 0,
  -- Grows with every claim; what an older claim reports changes nothing.
  claim bigint not null default 0,
  tries integer not null default 0,
  -- When to try next; while it is sending: when its claim ends.
  next_at timestamptz,
  first_tried_at timestamptz,
  last_error text,
  -- Why it is sent although its moment did not come: a result that did not match its schema.
  cause text,
  -- A try began and nobody knows yet whether it arrived.
  unconfirmed boolean not null default false,
  maybe_repeated boolean not null default false,
  attempts jsonb not null default '[]',
  external_id text,
  url text,
  content text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  finished_at timestamptz,
  check ((state in ('pending', 'sending')) = (next_at is not null)),
  check ((state in ('pending', 'sending')) = (finished_at is null))
) with (fillfactor = 70);
create index dispatches_due on dispatches (next_at) where state in ('pending', 'sending') and machine_id is null;
create index dispatches_machine on dispatches (machine_id, next_at)
  where state in ('pending', 'sending') and machine_id is not null;
create index dispatches_delivery on dispatches (delivery_id);
create index dispatches_event on dispatches (event_id);
create index dispatches_output on dispatches (output_id, id desc);
-- For the limit on what one target gets in a minute.
create index dispatches_sent on dispatches (output_id, sent_at) where sent_at is not null;
create index dispatches_newest on dispatches (organization_id, id desc);
create index dispatches_troubled on dispatches (organization_id, id desc) where state in ('failed', 'dead');
