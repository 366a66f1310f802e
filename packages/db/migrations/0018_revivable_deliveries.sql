-- What is at work, and what lapsed before its start and may come back: both hold a lane, a key and a place of their agent.
-- One small index for both, so that a machine that comes back does not read all that waits. (By its fence, which only a lease
-- changes: an accept shall change no index.)
drop index deliveries_live;
create index deliveries_live on deliveries (machine_id)
  where state in ('leased', 'running', 'stalled') or (state = 'pending' and fence > 0);

drop index deliveries_concurrency;
create index deliveries_concurrency on deliveries (concurrency_key)
  where concurrency_key is not null
    and (state in ('leased', 'running', 'stalled') or (state = 'pending' and fence > 0));

-- A renewed lease, an acceptance and what a run's row learns change no indexed column any more: with room on their page
-- they stay there and touch no index. The sweep reads the few that are at work.
drop index deliveries_expiring;
alter table deliveries set (fillfactor = 70);
alter table runs set (fillfactor = 60);

-- Of use for what asks about a job, and for nothing else: it was taken for all that waits.
drop index deliveries_job;
create index deliveries_job on deliveries (job_id, id) where state = 'pending' and job_id is not null;

-- A run is copied out of its delivery by the statement that accepts it, and these of its columns are checked there.
alter table runs drop constraint runs_organization_id_fkey, drop constraint runs_machine_id_fkey,
  drop constraint runs_agent_id_fkey, drop constraint runs_job_id_fkey;
