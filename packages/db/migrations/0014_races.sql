-- Two promises that one statement cannot keep beside another that runs at the same moment, because it does not see what
-- that one does.

-- An event whose place in a waiting delivery was taken says so, whoever took it, and a repeat of it is still answered with
-- that delivery.
alter table events add column coalesced_into text collate "C";
create function tell_coalesced() returns trigger language plpgsql as $$
begin
  update events set state = 'ignored', reason = 'coalesced', coalesced_into = new.id
  where id = old.event_id and state = 'matched';
  return null;
end $$;
create trigger deliveries_coalesced after update of event_id on deliveries for each row
  when (old.event_id is distinct from new.event_id) execute function tell_coalesced();

-- A concurrency key with a limit above one holds over machines, whose leases are granted side by side. (One of one is held
-- by an index.) What is not leased here stays pending, and the next look tries it again.
create function hold_key_limit() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(new.concurrency_key, 0));
  if (select count(*) from deliveries where concurrency_key = new.concurrency_key
      and state in ('leased', 'running', 'stalled')) >= new.concurrency_limit then
    return null;
  end if;
  return new;
end $$;
create trigger deliveries_key_limit before update of fence on deliveries for each row
  when (new.concurrency_limit > 1 and new.state = 'leased' and old.state = 'pending') execute function hold_key_limit();
