import type { DeliveryId, MachineId, OrganizationId, RunId } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'
import { queueDispatches } from '../outputs/queue-dispatches.ts'

export type Swept = {
  id: DeliveryId
  organizationId: OrganizationId
  machineId: MachineId
  runId: RunId
  moved: 'unaccepted' | 'lapsed' | 'stalled' | 'due' | 'expired' | 'replaced' | 'stopped' | 'gave_up'
}

export type SweepOptions = { acceptWithinMs: number; limit: number }

/**
 * Moves on what waited long enough, by the database's clock. Any number of relays may sweep: each row moves once. At
 * most `limit` rows of a kind in a call.
 */
export async function sweepDeliveries(db: Db, options: SweepOptions): Promise<Swept[]> {
  const swept: Swept[] = []
  for (const pass of [sweepLeases, sweepParked, sweepExpired, sweepReplaced, sweepStalled]) {
    const { rows } = await pass(options).execute(db)
    swept.push(...rows.map(toSwept))
  }
  return swept
}

type Row = {
  id: DeliveryId
  organization_id: OrganizationId
  machine_id: MachineId
  run_id: RunId
  moved: Swept['moved']
}
const toSwept = (row: Row): Swept => ({
  id: row.id,
  organizationId: row.organization_id,
  machineId: row.machine_id,
  runId: row.run_id,
  moved: row.moved,
})

/**
 * A lease that nobody accepted goes back to pending, and so does an accepted one that lapsed before its agent started
 * (its run is lost), while attempts are left; then it is dead. A running one is stalled until its machine comes back.
 */
const sweepLeases = ({ acceptWithinMs, limit }: SweepOptions): RawBuilder<Row> => sql<Row>`
  with due as materialized (
    select id from deliveries
    where id = any(array(select id from deliveries where ${hasLapsed(acceptWithinMs)} limit ${limit}::int))
      and ${hasLapsed(acceptWithinMs)}
    order by id
    for update skip locked
  ),
  moved as (
    update deliveries d set
      state = case when d.state = 'running' then 'stalled' when ${isUsedUp} then 'dead' else 'pending' end,
      state_since = now(), lease_expires_at = null, finished_at = case when ${isUsedUp} then now() end,
      reason = case when d.state = 'running' then 'machine_away'
        when d.accepted_at is null then 'not_accepted' else 'lease_lapsed' end,
      reason_message = case when d.state = 'running'
          then 'Its machine stopped answering while the agent was running. It goes on by itself when the machine is back.'
        when d.accepted_at is null then 'The machine did not take it in time; it is offered again.'
        when ${isUsedUp} then 'The machine stopped answering before the agent started, at every attempt.'
        else 'The machine stopped answering before the agent started; it is offered again.' end
    from due where d.id = due.id
    returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state, d.accepted_at
  ),
  ${queueDispatches('moved', 'finished')},
  lost as (
    update runs r set state = 'lost', message = 'The machine stopped answering before the agent started.'
    from moved m where r.id = m.run_id and m.state in ('pending', 'dead') and m.accepted_at is not null
      and r.state = 'starting'
  )
  select id, organization_id, machine_id, run_id,
    case when state = 'stalled' then 'stalled' when state = 'dead' then 'gave_up'
      when accepted_at is null then 'unaccepted' else 'lapsed' end as moved
  from moved`

/** Looked for among all that are at work, which are few: an index on this time would grow with every renewed lease. */
const hasLapsed = (
  acceptWithinMs: number,
) => sql`(state in ('leased', 'running') and (lease_expires_at < now()
  or (state = 'leased' and accepted_at is null and leased_at < now() - ${acceptWithinMs}::int * interval '1 ms')))`

/** Accepted as often as its job allows, and never started. */
const isUsedUp = sql`(d.state = 'leased' and d.accepted_at is not null and d.attempt >= d.max_attempts)`

const sweepParked = ({ limit }: SweepOptions): RawBuilder<Row> => sql<Row>`
  update deliveries d set state = 'pending', state_since = now(), parked_until = null, reason = null, reason_message = null
  where d.id in (
    select id from deliveries where state = 'parked' and parked_until <= now() limit ${limit}::int for update skip locked)
  returning d.id, d.organization_id, d.machine_id, d.run_id, 'due' as moved`

const sweepExpired = ({ limit }: SweepOptions): RawBuilder<Row> => sql<Row>`
  with moved as (
    update deliveries d set state = 'expired', state_since = now(), finished_at = now(), parked_until = null,
      reason = 'expired', reason_message = case when d.attempt = 0 then 'No machine took it within its time to live.'
        else 'Its time to live ended before it could be tried again.' end
    where d.id in (
      select id from deliveries where state in ('pending', 'parked') and expires_at <= now() limit ${limit}::int
      for update skip locked)
    returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state
  ),
  ${queueDispatches('moved', 'finished')}
  select id, organization_id, machine_id, run_id, 'expired' as moved from moved`

/**
 * Of two that came in one moment and replace each other, the newer one stays. The older one may be leased by now: then its
 * machine is asked to end it (`stopped`), as it is when the newer one comes later.
 */
const sweepReplaced = ({ limit }: SweepOptions): RawBuilder<Row> => sql<Row>`
  with moved as (
    update deliveries d set
      state = case when ${isHeld} then d.state else 'cancelled' end,
      state_since = case when ${isHeld} then d.state_since else now() end,
      finished_at = case when ${isHeld} then null else now() end,
      lease_expires_at = case when ${isHeld} then d.lease_expires_at end, parked_until = null,
      cancel_requested_at = now(), cancel_reason = 'A newer event replaced it.',
      reason = 'replaced', reason_message = 'A newer event replaced it.'
    where d.id in (
      select o.id from deliveries o
      where o.overlap = 'replace' and o.state in ('pending', 'parked', 'leased', 'running', 'stalled')
        and o.cancel_requested_at is null and exists (
        select from deliveries n where n.overlap = 'replace' and n.overlap_key = o.overlap_key and n.id > o.id
          and n.cancel_requested_at is null and n.state in ('pending', 'parked', 'leased', 'running', 'stalled'))
      limit ${limit}::int for update of o skip locked)
    returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state
  ),
  ${queueDispatches('moved', 'finished')}
  select id, organization_id, machine_id, run_id,
    case when state = 'cancelled' then 'replaced' else 'stopped' end as moved from moved`

/** A machine has it on its disk. */
const isHeld = sql`(d.accepted_at is not null and d.state in ('leased', 'running', 'stalled'))`

/** A run whose machine stayed away longer than its job waits. If it comes back after all, its report is kept on its run. */
const sweepStalled = ({ limit }: SweepOptions): RawBuilder<Row> => sql<Row>`
  with due as materialized (
    select id from deliveries
    where state = 'stalled' and stall_ms is not null and state_since < now() - stall_ms * interval '1 ms'
    limit ${limit}::int for update skip locked
  ),
  moved as (
    update deliveries d set state_since = now(), reason = 'stall_limit',
      reason_message = 'Its machine stayed away longer than the job waits.',
      state = case when d.cancel_requested_at is not null then 'cancelled'
        when d.repeatable and d.attempt < d.max_attempts then 'pending' when d.repeatable then 'dead' else 'failed' end,
      finished_at = case when d.repeatable and d.attempt < d.max_attempts and d.cancel_requested_at is null
        then null else now() end
    from due where d.id = due.id
    returning d.id, d.organization_id, d.event_id, d.job_id, d.machine_id, d.run_id, d.fence, d.state
  ),
  ${queueDispatches('moved', 'finished')},
  lost as (
    update runs r set state = 'lost', outcome = 'error', error_kind = 'lost', finished_at = now(),
      message = 'Its machine stayed away longer than the job waits.'
    from moved where r.id = moved.run_id and r.finish_key is null
  )
  select id, organization_id, machine_id, run_id, 'gave_up' as moved from moved`
