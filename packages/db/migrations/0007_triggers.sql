-- What an event can come from besides webhooks and people.
alter table events drop constraint events_source_check;
alter table events add constraint events_source_check check (source in ('webhook', 'manual', 'cron', 'interval',
  'file_change', 'git_push', 'github', 'message'));
