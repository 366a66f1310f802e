import type { TriggerId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { type TriggerTargetRow, triggerTargetColumns } from '../jobs/find-trigger-target.ts'

/** `now` is the database's clock: the only one that schedules follow. `next_fire_at` is null until it is computed. */
export type DueSchedule = TriggerTargetRow & { now: Date; next_fire_at: Date | null }

/** Schedules with a slot that has come, or without a next slot yet, the longest due first. */
export async function listDueSchedules(db: Db, limit: number): Promise<DueSchedule[]> {
  const { rows } = await sql<DueSchedule>`
    select clock_timestamp() as now, t.next_fire_at, ${triggerTargetColumns}
    from triggers t join jobs j on j.id = t.job_id join agents a on a.id = j.agent_id
    where t.kind in ('cron', 'interval') and t.deleted_at is null and t.paused_at is null
      and (t.next_fire_at is null or t.next_fire_at <= clock_timestamp())
      and j.disabled_at is null and j.deleted_at is null
    order by t.next_fire_at nulls first limit ${limit}::int`.execute(db)
  return rows
}

/**
 * Moves a schedule on to its next slot, after everything before it is stored. False: another relay did, or the schedule
 * was changed meanwhile.
 */
export async function advanceSchedule(db: Db, id: TriggerId, from: Date | null, to: Date): Promise<boolean> {
  const { rows } = await sql`
    update triggers set next_fire_at = ${to.toISOString()}::text::timestamptz
    where id = ${id} and deleted_at is null and paused_at is null
      and next_fire_at is not distinct from ${from?.toISOString() ?? null}::text::timestamptz
    returning id`.execute(db)
  return rows.length === 1
}

export async function databaseNow(db: Db): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db)
  return rows[0]?.now ?? new Date()
}
