-- What an event can come from besides webhooks and people.
alter table events drop constraint events_source_check;
alter table events add constraint events_source_check check (source in ('webhook', 'manual', 'cron', 'interval',
  'file_change', 'git_push', 'github', 'message'));
alter table events drop constraint events_reason_check;
alter table events add constraint events_reason_check check (reason in ('job_disabled', 'job_deleted', 'agent_archived',
  'filtered', 'no_job', 'overlap_skipped', 'coalesced', 'trigger_paused', 'missed', 'loop'));
alter table events
  -- Why it was ignored, as a sentence: which filter, how many slots were missed.
  add column reason_message text,
  -- How its sender proved itself; null for events that do not come over the intake.
  add column verification jsonb,
  -- The run, output or event that made this one, and how many events of such a chain came before it.
  add column cause text,
  add column hops smallint not null default 0 check (hops >= 0);
-- Events that runs caused, for the fuse that stops loops.
create index events_caused on events (job_id, id) where hops > 0;

-- Everything that can fire a job. What only one kind has is in `config`, checked by packages/protocol/src/triggers.ts.
alter table triggers drop constraint triggers_kind_check;
alter table triggers add constraint triggers_kind_check check (kind in ('webhook', 'manual', 'cron', 'interval',
  'file_change', 'git_push', 'github', 'message'));
alter table triggers drop constraint triggers_scheme_check;
alter table triggers add constraint triggers_scheme_check check (scheme in ('github', 'standard', 'slack', 'stripe', 'lark',
  'baton', 'bearer', 'none'));
alter table triggers
  add column config jsonb not null default '{}',
  add column paused_at timestamptz,
  -- The next slot of a schedule that is not an event yet; null until it is computed from the present.
  add column next_fire_at timestamptz,
  -- What the machine last said about the folder that it watches.
  add column watch jsonb;
create index triggers_schedules on triggers (next_fire_at) where kind in ('cron', 'interval') and deleted_at is null;
