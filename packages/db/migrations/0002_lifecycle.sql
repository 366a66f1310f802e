-- How long finished work is kept. A job without numbers of its own follows its organization.
alter table organizations
  add column keep_runs integer not null default 100 check (keep_runs between 1 and 1000000),
  add column keep_days integer not null default 30 check (keep_days between 1 and 3650),
  -- The export that fills this organization, and since when it is all here: a second import changes nothing.
  add column import_digest text,
  add column imported_at timestamptz;
alter table jobs
  add column keep_runs integer check (keep_runs between 1 and 1000000),
  add column keep_days integer check (keep_days between 1 and 3650);

-- The newest runs of a machine, for its stage times.
create index runs_machine on runs (machine_id, accepted_at);
-- The oldest events that belong to no job, for retention; those of a job are in events_job.
create index events_without_job on events (organization_id, id) where job_id is null;
