import { DEDUPLICATION_MS, type EventId, type RunId } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'
import type { RetentionGroup } from './list-retention-groups.ts'

export type Deleted = { events: number; deliveries: number; runs: number; runEvents: number }

export type DeleteOptions = {
  /** Events of one statement. */
  events: number
  /** Rows of transcripts of one statement. */
  rows: number
}

/**
 * Deletes one small batch of what a group has outlived: events with all that came of them, each whole or not at all, in
 * one statement. `done` says that nothing more of this group is due (or that others hold it right now).
 *
 * Never deleted: an event of the last 72 hours (a repeat of it must get the same answer), anything with a delivery that
 * is not finished or whose row somebody holds, or with a dispatch that waits. Rows are taken with SKIP LOCKED, so any number of relays may do this and
 * none of them ever waits for, or holds up, a lease, a report or the intake. A transcript longer than a batch goes
 * from its end, piece by piece, and its run says so meanwhile.
 */
export async function deleteOutlived(
  db: Db,
  group: RetentionGroup,
  options: DeleteOptions,
): Promise<Deleted & { done: boolean }> {
  const { rows } = await sql<{
    chosen: number
    events: number
    deliveries: number
    runs: number
    run_events: number
    long_run: RunId | null
  }>`
    with ${chosen(group, options)},
    gone_run_events as (
      delete from run_events where run_id = any(array(select id from doomed_runs)) returning 1
    ),
    gone_runs as (delete from runs where id = any(array(select id from doomed_runs)) returning 1),
    gone_deliveries as (
      delete from deliveries where id = any(array(select id from held where event_id in (select id from due))) returning 1
    ),
    gone_events as (delete from events where id = any(array(select id from due)) returning 1)
    select (select count(*) from candidates)::int as chosen, (select count(*) from gone_events)::int as events,
      (select count(*) from gone_deliveries)::int as deliveries, (select count(*) from gone_runs)::int as runs,
      (select count(*) from gone_run_events)::int as run_events,
      (select id from too_long limit 1) as long_run`.execute(db)
  const row = rows[0]
  if (!row) throw new Error('The retention statement answered nothing.')
  const deleted = {
    events: row.events,
    deliveries: row.deliveries,
    runs: row.runs,
    runEvents: row.run_events,
  }
  if (row.events > 0 || row.long_run === null) return { ...deleted, done: row.events === 0 }
  const shortened = await shortenTranscript(db, row.long_run, options.rows)
  return { ...deleted, runEvents: shortened, done: shortened === 0 }
}

/**
 * Ids go from step to step as arrays: as joins with a CTE, whose size the planner cannot know, the same batch of 100 read
 * the whole of runs and deliveries (80 to 240 ms beside 100,000 runs, now 10 to 13).
 *
 * The events of a batch, locked, with their deliveries; `due` are those of them that fit into the batch's rows.
 */
function chosen(group: RetentionGroup, options: DeleteOptions): RawBuilder<unknown> {
  return sql`
    candidates as materialized (
      select e.id from events e where e.id = any(array(${candidates(group, options.events)}))
      order by e.id for update skip locked
    ),
    held as materialized (
      select d.id, d.event_id from deliveries d
      where d.event_id = any(array(select id from candidates)) and d.finished_at is not null
      order by d.id for update skip locked
    ),
    whole as materialized (
      select c.id from candidates c where not exists (
        select from deliveries d where d.event_id = c.id and d.id not in (select id from held))
    ),
    sized as materialized (
      select w.id, coalesce(sum(r.last_seq), 0) as rows, sum(coalesce(sum(r.last_seq), 0)) over (order by w.id) as upto
      from whole w left join held d on d.event_id = w.id left join (
        select delivery_id, last_seq from runs where delivery_id = any(array(select id from held))) r on r.delivery_id = d.id
      group by w.id
    ),
    due as materialized (select id from sized where upto <= ${options.rows}::bigint),
    doomed_runs as materialized (
      select id from runs
      where delivery_id = any(array(select id from held where event_id in (select id from due)))
    ),
    too_long as materialized (
      select id from runs
      where delivery_id = any(array(select id from held where event_id = (
        select id from sized where rows > ${options.rows}::bigint order by id limit 1))) and last_seq > 0
      order by last_seq desc limit 1
    )`
}

/** What waits to be sent is told in full; its dispatches go with their event. */
const nothingToSend = sql`and not exists (
        select from dispatches p where p.event_id = e.id and p.finished_at is null offset 0)`

const hours72 = sql`now() - ${DEDUPLICATION_MS}::bigint * interval '1 ms'`

/**
 * `offset 0` keeps each lookup beside its row, so that the scan of an index in order ends at the limit: as joins they
 * were planned over all that is kept (100 of 100,000 runs: 82 ms each time, and growing with the table).
 */
function candidates(group: RetentionGroup, limit: number): RawBuilder<EventId> {
  const tooOld = sql`now() - ${group.keepDays}::int * interval '1 day'`
  // Ids grow with time (UUIDv7), so that the scan of an index ends where the days kept begin.
  const beforeId = sql`'evt_' || lpad(to_hex((extract(epoch from least(${hours72}, ${tooOld})) * 1000)::bigint), 12, '0')`
  const own = group.jobId
    ? sql`e.job_id = ${group.jobId} and e.organization_id = ${group.organizationId}`
    : sql`e.job_id is null and e.organization_id = ${group.organizationId}`
  const byAge = sql<EventId>`(
    select e.id from events e
    where ${own} and e.id < ${beforeId} and e.received_at < least(${hours72}, ${tooOld})
      and not exists (
        select from deliveries d where d.event_id = e.id and (d.finished_at is null or d.finished_at >= ${tooOld}) offset 0)
      ${nothingToSend}
    order by e.id limit ${limit}::int)`
  if (group.jobId === null || group.beyondCount === null) return byAge
  const beyond = sql`${group.beyondCount}::text::timestamptz`
  return sql<EventId>`
    ${byAge}
    union
    (select e.id from runs r, lateral (
      select e.id from deliveries d join events e on e.id = d.event_id
      where d.id = r.delivery_id and e.organization_id = ${group.organizationId} and e.received_at < ${hours72}
      offset 0) e
    where r.job_id = ${group.jobId} and r.accepted_at <= ${beyond}
      and not exists (
        select from deliveries o where o.event_id = e.id and (o.finished_at is null or exists (
          select from runs n where n.delivery_id = o.id and n.accepted_at > ${beyond})) offset 0)
      ${nothingToSend}
    order by r.accepted_at limit ${limit}::int)`
}

/** Takes the last events of a transcript away; the run then says that these are missing, which is true. */
async function shortenTranscript(db: Db, runId: RunId, rows: number): Promise<number> {
  const { rows: answer } = await sql<{ gone: number }>`
    with locked as materialized (
      select id, greatest(last_seq - ${rows}::bigint, 0) as keep from runs where id = ${runId} for update skip locked
    ),
    gone as (
      delete from run_events e using locked where e.run_id = locked.id and e.seq > locked.keep returning 1
    ),
    shorter as (
      update runs r set last_seq = locked.keep from locked where r.id = locked.id
    )
    select count(*)::int as gone from gone`.execute(db)
  return answer[0]?.gone ?? 0
}
