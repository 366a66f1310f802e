-- Where an agent's process runs: on the host, in a light sandbox or in a container.
alter table agents add column isolation jsonb not null default '{"kind": "host"}';

-- What a run changed in its workspace. The diff is apart: it is longer than all the rest and read alone.
alter table runs add column changes jsonb, add column diff text;

-- Orders to put a run's workspace back to before it, or forward again: carried out by the runner of its machine. The newest
-- order of a run says how its workspace stands.
create table undos (
  id text collate "C" primary key check (id like 'und\_%'),
  organization_id text collate "C" not null references organizations,
  run_id text collate "C" not null references runs on delete cascade,
  machine_id text collate "C" not null references machines,
  kind text not null check (kind in ('undo', 'redo')),
  dry_run boolean not null,
  state text not null default 'asked' check (state in ('asked', 'done', 'refused')),
  message text,
  -- Paths that were (or would be) put back, and those that stand in the way.
  files jsonb not null default '[]',
  blocked jsonb not null default '[]',
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  check ((state = 'asked') = (settled_at is null))
);
create unique index undos_open on undos (run_id) where state = 'asked';
create index undos_run on undos (run_id, id desc);
create index undos_machine on undos (machine_id) where state = 'asked';
