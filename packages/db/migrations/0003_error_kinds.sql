-- The kinds of failure that came with more runtimes.
alter table runs drop constraint runs_error_kind_check;
alter table runs add constraint runs_error_kind_check check (error_kind in ('agent_missing', 'not_signed_in', 'quota',
  'api_error', 'session_lost', 'budget', 'permission_denied', 'timeout_silence', 'timeout_wall', 'crashed', 'killed',
  'workspace', 'container', 'policy', 'disk_full', 'lost', 'too_old', 'internal'));
