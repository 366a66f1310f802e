import type { SettleAnswer, SettleReport } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import { keepSessions } from '../sessions/keep-sessions.ts'
import { addUsage } from '../usage/add-usage.ts'
import { blockAccounts, restMs } from '../usage/block-accounts.ts'
import { nextDay } from '../usage/waits-for.ts'
import { lockAsked } from './lease-arrays.ts'
import { byDelivery, type OfMachine } from './of-machine.ts'

/** When the machine sent its report, by its own clock. */
export type SentAt = { sentAt: number }

/**
 * Records how runs ended, each with its finish key: the same key again gets `already`. Answers in the order of the
 * reports; a delivery is named at most once, and only with a run of its own. The report of the newest
 * attempt decides about its delivery however late it comes. The report of an older one decides only while no newer one is
 * in anybody's hands, so that what turns out to have run is not run again; else it is kept on its run (`superseded`).
 *
 * A failed or timed-out run is tried again, after a pause, only when its job says that repeating does no harm and
 * attempts are left; with none left such a delivery is dead. Four ends are not the work's fault and use no attempt: a
 * used-up account or day budget (parked until it is free again), a missing sign-in (pending, its agent stopped) and a
 * conversation that is gone (pending, once). Where the agent's session has the prompt, the next attempt only nudges it.
 */
export async function settleRuns(
  db: Db,
  unordered: OfMachine<SettleReport & SentAt>[],
  options: { retryBaseMs: number },
): Promise<SettleAnswer[]> {
  const reports = byDelivery(unordered)
  // Each part opens the indexes of its tables, so it is left out where no report needs it.
  const parts = {
    usage: reports.some((report) => report.usage !== null) ? addUsage : sql``,
    sessions: reports.some((report) => report.sessionId !== null || report.errorKind === 'session_lost')
      ? keepSessions
      : sql``,
    blocks: reports.some(({ errorKind }) => errorKind === 'quota' || errorKind === 'not_signed_in')
      ? blockAccounts(sql`
          select k.agent_id, k."errorKind" as reason, k.message, k.rest_ms
          from closing k join closed on closed.id = k."deliveryId"
          where k.next in ('rests', 'stopped') and k."errorKind" in ('quota', 'not_signed_in')`)
      : sql``,
  }
  const { rows } = await sql<{ place: number; result: SettleAnswer['result'] }>`
    with asked as (
      select asked.*, "deliveryId" as delivery_id from json_to_recordset(${JSON.stringify(
        reports.map((report, place) => ({
          ...report,
          place,
          ...apart(report.changes),
          startedAgoMs: ago(report.startedAt, report),
          firstOutputAgoMs: ago(report.firstOutputAt, report),
          finishedAgoMs: ago(report.finishedAt, report),
          freeInMs: freeIn(report.quotaUntil, report),
        })),
      )}::text::json) as asked (
        "deliveryId" text, "runId" text, "machineId" text, place int, fence bigint, "finishKey" text, state text, outcome text, "errorKind" text,
        message text, "exitCode" int, signal text, "sessionId" text, usage jsonb, result text, "killProof" jsonb,
        changes jsonb, diff text,
        "finalSeq" bigint, "finalHash" text, "startedAgoMs" bigint, "firstOutputAgoMs" bigint, "finishedAgoMs" bigint,
        "freeInMs" float8, spawn jsonb)
    ),
    ${lockAsked},
    known as materialized (
      select told.*, r.finish_key as known_key, r.id is not null as exists, r.state as known_state
      from (select * from locked order by "runId") told left join lateral (
        select id, finish_key, state from runs
        where id = told."runId" and fence is not distinct from told.fence
          and machine_id is not distinct from told."machineId" and delivery_id is not distinct from told.id
        for update
      ) r on true
    ),
    ended as (
      update runs r set state = k.state, outcome = k.outcome, error_kind = k."errorKind", message = k.message,
        exit_code = k."exitCode", signal = k.signal, session_id = k."sessionId", usage = k.usage, result = k.result,
        kill_proof = k."killProof", changes = nullif(k.changes, 'null'), diff = k.diff, spawn = nullif(k.spawn, 'null'),
        final_seq = k."finalSeq", final_hash = k."finalHash", finish_key = k."finishKey",
        started_at = coalesce(r.started_at, now() - k."startedAgoMs" * interval '1 ms'),
        first_output_at = greatest(r.accepted_at, now() - k."firstOutputAgoMs" * interval '1 ms'),
        finished_at = greatest(r.accepted_at, now() - k."finishedAgoMs" * interval '1 ms')
      from known k where r.id = k."runId" and k.exists and k.known_key is null
        and k.known_state in ('starting', 'running', 'lost')
      returning r.id, r.organization_id, r.delivery_id, r.machine_id, r.agent_id, r.job_id, r.fence, r.state, r.workspace,
        r.usage, r.finished_at, r.message, k.id as own_delivery, k.own_fence, k.own_state, k.accepted_at,
        k.attempt, k.max_attempts, k.repeatable, k.recovered, k.cancel_requested_at, k."deliveryId", k."runId", k."finishKey",
        k."errorKind", k."sessionId", k."freeInMs"
    ),
    closing as materialized (
      select k.*, ${restMs(sql`k."freeInMs"`)} as rest_ms,
        k."sessionId" is not null and k."errorKind" in ('quota', 'budget', 'not_signed_in', 'api_error') as to_nudge,
        case when k.state not in ('failed', 'timed_out') or k.cancel_requested_at is not null then 'ends'
          when k."errorKind" = 'quota' or (k."errorKind" = 'budget' and k."freeInMs" is not null) then 'rests'
          when k."errorKind" = 'not_signed_in' then 'stopped'
          when k."errorKind" = 'session_lost' and not k.recovered then 'afresh'
          when k.repeatable and k.attempt < k.max_attempts then 'again' else 'ends' end as next
      from ended k join agents own on own.id = k.agent_id
      where k.state <> 'superseded'
    ),
    closed as (
      update deliveries d set
        state = case when k.next in ('again', 'rests') then 'parked' when k.next in ('stopped', 'afresh') then 'pending'
          when k.state in ('succeeded', 'cancelled') then k.state when k.repeatable then 'dead' else 'failed' end,
        run_id = k."runId", reason = k."errorKind", reason_message = ${reasonMessage}, state_since = now(), lease_expires_at = null,
        accepted_at = case when k.next = 'ends' then d.accepted_at end,
        finish_key = case when k.next = 'ends' then k."finishKey" end,
        finished_at = case when k.next = 'ends' then now() end,
        max_attempts = case when k.next in ('rests', 'stopped', 'afresh') then d.max_attempts + 1 else d.max_attempts end,
        nudge = k.next <> 'ends' and coalesce(k.to_nudge, false), recovered = d.recovered or k.next = 'afresh',
        parked_until = case k.next
          when 'again' then now() + ${options.retryBaseMs}::float8 * power(2, least(d.attempt - d.max_attempts
            + (d.limits ->> 'maxAttempts')::int, 10) - 1) * (0.5 + random() / 2) * interval '1 ms'
          when 'rests' then case k."errorKind" when 'budget' then ${nextDay} else now() + k.rest_ms * interval '1 ms' end
            + random() * ${REST_JITTER_MS}::int * interval '1 ms' end
      from closing k
      where d.id = k.own_delivery and (k.own_fence = k.fence or ${isInNobodysHands})
        and k.own_state in ('pending', 'leased', 'running', 'stalled', 'parked')
      returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state
    ),
    ${queueDispatches('closed', 'finished')}${parts.usage}${parts.sessions}${parts.blocks}
    select place,
      case
        when not exists then 'unknown'
        when known_key = "finishKey" then 'already'
        when known_key is not null then 'superseded'
        when "deliveryId" in (select id from closed) then 'settled'
        else 'superseded' end as result
    from known`.execute(db)
  const results = new Map(rows.map(({ place, result }) => [reports[place], result]))
  return unordered.map((report) => ({
    deliveryId: report.deliveryId,
    runId: report.runId,
    result: results.get(report) ?? 'unknown',
  }))
}

/**
 * No machine has accepted its newest lease, or that lease lapsed. What may be repeated ends only with a success, and an
 * end that is not the work's fault is none for work that waits elsewhere by now.
 */
const isInNobodysHands = sql`(
  (k.accepted_at is null or k.own_state = 'pending') and (k.state = 'succeeded' or not k.repeatable)
  and k.next = 'ends')`

/** What people read while it waits for its next attempt. */
const reasonMessage = sql`case
  when k.next = 'rests' and k."errorKind" = 'budget'
    then 'The budget of the day is used up; it goes on at midnight UTC, or when the budget is raised.'
  when k.next = 'rests' then concat_ws(' ', 'The account of its agent is used up; it goes on by itself when that is free again.', k.message)
  when k.next = 'stopped' then concat_ws(' ', 'Its agent is not signed in; it goes on when it is.', k.message)
  when k.next = 'afresh' then 'The conversation is gone on its machine; it is started afresh.'
  else k.message end`

/** Not all that waited for one account come back in one moment. */
const REST_JITTER_MS = 30_000
const REST_MIN_MS = 10_000
const REST_MAX_MS = 8 * 86_400_000

/** How long ago something was, by the clock of its machine. */
function ago(at: number | null, { sentAt }: SentAt): number | null {
  return at === null ? null : Math.max(0, Math.round(sentAt - at))
}

/** A time of the machine's wall clock as a time from now; a clock that is set wrongly can do little harm. */
function freeIn(until: number | null, { sentAt }: SentAt): number | null {
  return until === null ? null : Math.min(REST_MAX_MS, Math.max(REST_MIN_MS, Math.round(until - sentAt)))
}

/** The diff has a column of its own. */
function apart(changes: SettleReport['changes']) {
  if (!changes) return { changes: null, diff: null }
  const { diff, ...summary } = changes
  return { changes: summary, diff }
}
