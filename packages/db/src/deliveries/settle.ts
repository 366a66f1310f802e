import type { DeliveryId, MachineId, RunId, SettleAnswer, SettleReport } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'
import { lockDeliveries } from './lease-arrays.ts'

/**
 * Records how runs ended, each with its finish key: the same key again gets `already`. The report of the newest
 * attempt decides about its delivery however late it comes; the report of an older one is kept on its run and changes
 * nothing else (`superseded`).
 *
 * A failed or timed-out run is tried again, after a pause, only when its job says that repeating does no harm and
 * attempts are left; with none left such a delivery is dead.
 */
export async function settleRuns(
  db: Db,
  machineId: MachineId,
  reports: SettleReport[],
  options: { sentAt: number; retryBaseMs: number },
): Promise<SettleAnswer[]> {
  const ago = (at: number | null) => (at === null ? null : Math.max(0, Math.round(options.sentAt - at)))
  const { rows } = await sql<{ delivery_id: DeliveryId; run_id: RunId; result: SettleAnswer['result'] }>`
    with asked as materialized (
      select * from json_to_recordset(${JSON.stringify(
        reports.map((report) => ({
          ...report,
          ...apart(report.changes),
          startedAgoMs: ago(report.startedAt),
          firstOutputAgoMs: ago(report.firstOutputAt),
          finishedAgoMs: ago(report.finishedAt),
        })),
      )}::text::json) as asked (
        "deliveryId" text, "runId" text, fence bigint, "finishKey" text, state text, outcome text, "errorKind" text,
        message text, "exitCode" int, signal text, "sessionId" text, usage jsonb, result text, "killProof" jsonb,
        changes jsonb, diff text,
        "finalSeq" bigint, "finalHash" text, "startedAgoMs" bigint, "firstOutputAgoMs" bigint, "finishedAgoMs" bigint)
    ),
    ${lockDeliveries(reports.map((report) => report.deliveryId))},
    locked_runs as materialized (
      select r.id, r.fence, r.finish_key from runs r
      where r.id = any(${reports.map((report) => report.runId)}::text[]) and r.machine_id = ${machineId}
        and (select count(*) from locked) >= 0
      order by r.id for update
    ),
    known as materialized (
      select asked.*, r.finish_key as known_key, r.id is not null as exists
      from asked left join locked_runs r on r.id = asked."runId" and r.fence = asked.fence
    ),
    ended as (
      update runs r set state = k.state, outcome = k.outcome, error_kind = k."errorKind", message = k.message,
        exit_code = k."exitCode", signal = k.signal, session_id = k."sessionId", usage = k.usage, result = k.result,
        kill_proof = k."killProof", changes = nullif(k.changes, 'null'), diff = k.diff, final_seq = k."finalSeq", final_hash = k."finalHash", finish_key = k."finishKey",
        started_at = coalesce(r.started_at, now() - k."startedAgoMs" * interval '1 ms'),
        first_output_at = greatest(r.accepted_at, now() - k."firstOutputAgoMs" * interval '1 ms'),
        finished_at = greatest(r.accepted_at, now() - k."finishedAgoMs" * interval '1 ms')
      from known k where r.id = k."runId" and k.exists and k.known_key is null
        and r.state in ('starting', 'running', 'lost')
      returning r.id, r.delivery_id, r.fence
    ),
    closing as materialized (
      select k.*, locked.repeatable,
        k.state in ('failed', 'timed_out') and locked.repeatable and locked.attempt < locked.max_attempts
          and locked.cancel_requested_at is null as again
      from known k join ended on ended.id = k."runId" join locked on locked.id = k."deliveryId"
      where k.state <> 'superseded'
    ),
    closed as (
      update deliveries d set
        state = case when k.again then 'parked' when k.state in ('succeeded', 'cancelled') then k.state
          when k.repeatable then 'dead' else 'failed' end,
        reason = k."errorKind", reason_message = k.message, state_since = now(), lease_expires_at = null,
        accepted_at = case when not k.again then d.accepted_at end,
        finish_key = case when not k.again then k."finishKey" end,
        finished_at = case when not k.again then now() end,
        parked_until = case when k.again then now() + ${options.retryBaseMs}::float8
          * power(2, least(d.attempt, 10) - 1) * (0.5 + random() / 2) * interval '1 ms' end
      from closing k
      where d.id = k."deliveryId" and d.fence = k.fence and d.state in ('pending', 'leased', 'running', 'stalled')
      returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state
    ),
    ${queueDispatches('closed', 'finished')}
    select "deliveryId" as delivery_id, "runId" as run_id,
      case
        when not exists then 'unknown'
        when known_key = "finishKey" then 'already'
        when known_key is not null then 'superseded'
        when "deliveryId" in (select id from closed) then 'settled'
        else 'superseded' end as result
    from known`.execute(db)
  return rows.map((row) => ({ deliveryId: row.delivery_id, runId: row.run_id, result: row.result }))
}

/** The diff has a column of its own. */
function apart(changes: SettleReport['changes']) {
  if (!changes) return { changes: null, diff: null }
  const { diff, ...summary } = changes
  return { changes: summary, diff }
}
