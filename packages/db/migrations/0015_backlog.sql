-- Why an event fired nothing: too much waited for its machine.
alter table events drop constraint events_reason_check;
alter table events add constraint events_reason_check check (reason in ('job_disabled', 'job_deleted', 'agent_archived',
  'filtered', 'no_job', 'overlap_skipped', 'coalesced', 'trigger_paused', 'missed', 'loop', 'own_event', 'actor_refused',
  'fork_refused', 'text_edited', 'backlog_full'));

-- While a job has used up its runs of the hour, leasing reads for each other job what it has waiting, in each lane.
-- (What does not ask for an agent cannot take this index, which would read all that waits for the machine.)
create index deliveries_places on deliveries (machine_id, agent_id, coalesce(lane, ''), coalesce(job_id, ''), priority desc, id)
  where state = 'pending' and agent_id is not null;
