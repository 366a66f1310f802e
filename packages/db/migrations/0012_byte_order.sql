-- Ids are compared by their bytes everywhere. These were not, so a join with the ids of runs could not use their indexes,
-- and deleting a run read the whole of both tables.
alter table approvals
  alter column id type text collate "C",
  alter column organization_id type text collate "C",
  alter column run_id type text collate "C",
  alter column delivery_id type text collate "C";
alter table run_controls
  alter column id type text collate "C",
  alter column organization_id type text collate "C",
  alter column run_id type text collate "C",
  alter column delivery_id type text collate "C",
  alter column machine_id type text collate "C",
  alter column approval_id type text collate "C";
alter table idempotency_keys alter column organization_id type text collate "C";

-- Only what can still lapse: an answer that was delivered is settled, and there are more of those every day.
drop index run_controls_unsettled;
create index run_controls_unsettled on run_controls (id) where state = 'queued' or (state = 'delivered' and kind = 'steer');
