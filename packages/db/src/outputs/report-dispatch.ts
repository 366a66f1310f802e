import type { DispatchId, DispatchState } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** What became of one try. */
export type DispatchReport = {
  state: Exclude<DispatchState, 'sending'>
  /** For the list of tries: one word. */
  result: string
  why: string | null
  tookMs: number | null
  /** With `pending`: when to try again. */
  afterMs?: number
  /** With `pending`: nobody knows whether this try arrived. */
  unconfirmed?: boolean
  maybeRepeated?: boolean
  externalId?: string | undefined
  url?: string | undefined
  content?: string | undefined
  /** The output is switched off, and says this. */
  disables?: boolean
  /** The outputs for a failure of the same job are sent after all, and name this as their cause. */
  failureCause?: string
}

const TRIES_KEPT = 30

/**
 * Ends a claim. Null: the claim was no longer this one's, and nothing has changed. What is remembered of an effect
 * (its id and address elsewhere) is never forgotten again.
 */
export async function reportDispatch(
  db: Db,
  claim: { id: DispatchId; claim: number },
  report: DispatchReport,
): Promise<{ disabled: boolean; queued: number } | null> {
  const attempt = JSON.stringify([
    { at: Date.now(), result: report.result, why: report.why, tookMs: report.tookMs },
  ])
  const { rows } = await sql<{ disabled: number; queued: number }>`
    with reported as (
      update dispatches d set state = ${report.state}::text,
        next_at = case when ${report.state}::text = 'pending' then now() + ${Math.round(report.afterMs ?? 0)}::bigint * interval '1 ms' end,
        finished_at = case when ${report.state}::text <> 'pending' then now() end,
        sent_at = case when ${report.state}::text = 'sent' then now() else d.sent_at end,
        last_error = ${report.why}::text, unconfirmed = ${report.unconfirmed ? 'yes' : 'no'}::text = 'yes',
        maybe_repeated = d.maybe_repeated or ${report.maybeRepeated ? 'yes' : 'no'}::text = 'yes',
        external_id = coalesce(${report.externalId ?? null}::text, d.external_id),
        url = coalesce(${report.url ?? null}::text, d.url), content = coalesce(${report.content ?? null}::text, d.content),
        attempts = case when jsonb_array_length(d.attempts) >= ${TRIES_KEPT}::int then d.attempts - 0 else d.attempts end
          || ${attempt}::text::jsonb
      where d.id = ${claim.id} and d.claim = ${claim.claim}::bigint and d.state = 'sending'
      returning d.*
    ),
    disabled as (
      update outputs o set disabled_at = coalesce(o.disabled_at, now()), disabled_reason = ${report.why}::text
      from reported r where o.id = r.output_id and ${report.disables ? 'yes' : 'no'}::text = 'yes'
      returning 1
    ),
    queued as (
      insert into dispatches (id, organization_id, output_id, job_id, event_id, delivery_id, run_id, kind, key, machine_id,
        fence, cause, next_at)
      select 'dsp_' || uuid7_hex(), r.organization_id, o.id, r.job_id, r.event_id, r.delivery_id, r.run_id, o.kind,
        o.id || ':' || r.delivery_id, case when o.kind in ('stdout', 'file') then v.machine_id end, r.fence,
        ${report.failureCause ?? null}::text, now()
      from reported r join outputs o on o.job_id = r.job_id join deliveries v on v.id = r.delivery_id
      where ${report.failureCause ?? null}::text is not null and o.moment = 'failure' and o.deleted_at is null
        and o.disabled_at is null
      on conflict (key) do nothing
      returning 1
    )
    select (select count(*)::int from disabled) as disabled, (select count(*)::int from queued) as queued
    from reported`.execute(db)
  const row = rows[0]
  return row ? { disabled: row.disabled > 0, queued: row.queued } : null
}
