import { type RawBuilder, sql } from 'kysely'

/** How long an account rests that did not say until when: doubling with each time in a row. */
const REST_MS = 15 * 60_000
const REST_DOUBLINGS = 4

/** The agents `a` that work with the same login as `own`: all of a CLI on a machine, but one with secrets of its own alone. */
export const sameAccount = sql`(a.id = own.id or (
  a.machine_id = own.machine_id and a.runtime = own.runtime and a.command is not distinct from own.command
  and (a.runtime not in ('chat', 'opencode') or a.model is not distinct from own.model)
  and not exists (select from agent_secrets x where x.agent_id in (own.id, a.id))))`

/** How long the account of `own` rests, in ms: `saidMs` when it said so, else what is left of its rest, else a longer one. */
export const restMs = (saidMs: RawBuilder<unknown>) => sql`coalesce(${saidMs}, case
  when own.blocked_reason = 'quota' and own.blocked_until > now() then extract(epoch from own.blocked_until - now()) * 1000
  else ${REST_MS}::float8 * power(2, least(own.quota_strikes, ${REST_DOUBLINGS}::int)) end)`

/**
 * The part of a statement that lets the agents of an account take no more work. `ended` is a table
 * (agent_id, reason, message, rest_ms): `quota` ends by itself, `not_signed_in` when somebody did something.
 */
export const blockAccounts = (ended: RawBuilder<unknown>) => sql`,
    account as materialized (
      select distinct on (a.id) a.id, e.reason, e.message, e.rest_ms
      from (${ended}) e join agents own on own.id = e.agent_id join agents a on ${sameAccount}
      order by a.id, e.rest_ms desc
    ),
    locked_agents as materialized (
      select id from agents where id in (select id from account) order by id for update
    ),
    blocked as (
      update agents a set blocked_reason = account.reason, blocked_message = account.message, blocked_at = now(),
        blocked_until = case when account.reason = 'quota' then now() + account.rest_ms * interval '1 ms' end,
        quota_strikes = case when account.reason = 'quota' and coalesce(a.blocked_until, '-infinity') <= now()
          then a.quota_strikes + 1 else a.quota_strikes end
      from account join locked_agents on locked_agents.id = account.id
      where a.id = account.id
    )`
