-- What a token may do. Tokens from before may do all that their person may.
alter table tokens add column scopes text[] not null default array['read', 'run', 'write', 'admin'];
alter table tokens add constraint tokens_scopes_check
  check (scopes <@ array['read', 'run', 'write', 'admin'] and cardinality(scopes) > 0);

-- Answers to POST requests of REST that carried an Idempotency-Key, for 24 hours. `caller` is the hash of the token or
-- session; `answer` is sealed, as answers show secrets once. Without an answer the first request is still at work.
create table idempotency_keys (
  organization_id text not null references organizations (id),
  caller text not null,
  key text not null,
  request_hash text not null,
  claim text not null,
  claimed_at timestamptz not null default now(),
  answer text,
  primary key (caller, key)
);
create index idempotency_keys_old on idempotency_keys (claimed_at);
