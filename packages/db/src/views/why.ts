import type {
  AgentId,
  BlockReason,
  DeliveryId,
  DeliveryState,
  JobId,
  MachineId,
  MachineState,
  OrganizationId,
  RunId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { chooseDeliveries, wasHeardOf } from '../deliveries/choose.ts'
import { pendingOf } from '../deliveries/pending-of.ts'
import { isBlocked, isSpent, nextDay } from '../usage/waits-for.ts'

/** Everything the lease statement looks at for one pending delivery, read at once. */
export type DeliveryFacts = {
  id: DeliveryId
  runId: RunId
  state: DeliveryState
  stateSince: number
  reason: string | null
  reasonMessage: string | null
  accepted: boolean
  cancelRequestedAt: number | null
  parkedUntil: number | null
  /** Its machine accepted it and has not been heard of since the lease lapsed: it may be at work there. */
  isUnheard: boolean
  /** Its time to live is over. */
  isExpired: boolean
  concurrency: { key: string; limit: number; live: number } | null
  /** Runs of its job of the last hour, with what is leased and not yet accepted. */
  perHour: { limit: number; used: number } | null
  now: number
  machine: {
    id: MachineId
    name: string
    state: MachineState
    slots: number
    live: number
    lastHeartbeatAt: number | null
    drainingAt: number | null
  }
  agent: {
    id: AgentId
    key: string
    paused: boolean
    archived: boolean
    maxConcurrent: number
    live: number
    perHour: number | null
    started: number
    /** Only while it takes no work for that. */
    blocked: { reason: BlockReason; message: string | null; since: number; until: number | null } | null
    isSpent: boolean
  }
  /** The job's budget of the day is used up. */
  isJobSpent: boolean
  nextDay: number
  lane: { name: string; busyWith: RunId | null } | null
  /** Others go before it that the free slots, its agent, its lane or its key are for. */
  isNext: boolean
  ahead: number
}

/** What keeps a job's next delivery waiting, whatever its agent and machine do. */
export type JobFacts = { perHour: { limit: number; used: number } | null; isSpent: boolean; nextDay: number }

export async function findJobFacts(db: Db, organizationId: OrganizationId, jobId: JobId): Promise<JobFacts> {
  const { rows } = await sql<{ facts: JobFacts }>`
    select json_build_object('isSpent', ${isSpent.job}, 'nextDay', extract(epoch from ${nextDay}) * 1000,
      'perHour', case when j.rules ->> 'perHour' is not null then json_build_object('limit', (j.rules ->> 'perHour')::int,
        'used', (select count(*) from runs r where r.job_id = j.id and r.accepted_at > now() - interval '1 hour')
          + (select count(*) from deliveries d where d.machine_id = a.machine_id and d.job_id = j.id
            and d.state in ('leased', 'running', 'stalled') and d.accepted_at is null)) end) as facts
    from jobs j join agents a on a.id = j.agent_id where j.id = ${jobId} and j.organization_id = ${organizationId}`.execute(
    db,
  )
  return rows[0]?.facts ?? { perHour: null, isSpent: false, nextDay: 0 }
}

export async function findDeliveryFacts(
  db: Db,
  organizationId: OrganizationId,
  deliveryId: DeliveryId,
): Promise<DeliveryFacts | null> {
  const delivery = await db
    .selectFrom('deliveries')
    .select('machine_id')
    .where('id', '=', deliveryId)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst()
  if (!delivery) return null
  const freeSlots = sql`select greatest(m.slots - (select count(*) from live), 0)::int from machines m
    where m.id = ${delivery.machine_id}`
  const { rows } = await sql<{ facts: DeliveryFacts }>`
    with recursive ${chooseDeliveries(delivery.machine_id, freeSlots)},
    d as (select * from deliveries where id = ${deliveryId} and organization_id = ${organizationId}),
    others_live as (
      select l.* from deliveries l join d on l.machine_id = d.machine_id
      where l.state in ('leased', 'running', 'stalled') and l.id <> d.id
    )
    select json_build_object(
      'id', d.id, 'runId', d.run_id, 'state', d.state, 'stateSince', extract(epoch from d.state_since) * 1000,
      'reason', d.reason, 'reasonMessage', d.reason_message, 'accepted', d.accepted_at is not null,
      'cancelRequestedAt', extract(epoch from d.cancel_requested_at) * 1000,
      'parkedUntil', extract(epoch from d.parked_until) * 1000, 'isUnheard', not ${wasHeardOf(delivery.machine_id)}, 'isExpired', coalesce(d.expires_at <= now(), false), 'now', extract(epoch from now()) * 1000,
      'machine', json_build_object('id', m.id, 'name', m.name, 'state', machine_state(m), 'slots', m.slots,
        'live', (select count(*) from others_live), 'lastHeartbeatAt', extract(epoch from m.last_heartbeat_at) * 1000,
        'drainingAt', floor(extract(epoch from m.draining_at) * 1000)),
      'agent', json_build_object('id', a.id, 'key', a.key, 'paused', a.paused_at is not null,
        'archived', a.archived_at is not null, 'isSpent', ${isSpent.agent},
        'blocked', case when ${isBlocked} then json_build_object('reason', a.blocked_reason, 'message', a.blocked_message,
          'since', extract(epoch from a.blocked_at) * 1000, 'until', extract(epoch from a.blocked_until) * 1000) end,
        'maxConcurrent', a.max_concurrent, 'perHour', a.per_hour,
        'started', (select count(*) from runs r where r.agent_id = a.id and r.accepted_at > now() - interval '1 hour')
          + (select count(*) from others_live where others_live.agent_id = a.id and others_live.accepted_at is null),
        'live', (select count(*) from others_live where others_live.agent_id = a.id)),
      'lane', case when d.lane is not null then json_build_object('name', d.lane,
        'busyWith', (select run_id from others_live where others_live.lane = d.lane limit 1)) end,
      'concurrency', case when d.concurrency_key is not null then json_build_object('key', d.concurrency_key,
        'limit', d.concurrency_limit, 'live', (select count(*) from deliveries l where l.concurrency_key = d.concurrency_key
          and l.state in ('leased', 'running', 'stalled') and l.id <> d.id)) end,
      'perHour', (select json_build_object('limit', (j.rules ->> 'perHour')::int, 'used', (select count(*) from runs r
          where r.job_id = j.id and r.accepted_at > now() - interval '1 hour')
          + (select count(*) from others_live o where o.job_id = j.id and o.accepted_at is null))
        from jobs j where j.id = d.job_id and j.rules ->> 'perHour' is not null),
      'isJobSpent', (select coalesce(bool_or(${isSpent.job}), false) from jobs j where j.id = d.job_id),
      'nextDay', extract(epoch from ${nextDay}) * 1000,
      'isNext', d.id in (select id from chosen),
      'ahead', (select count(*) from (
        select 1 from ${pendingOf(sql`d.machine_id`)}
          where waiting.priority > d.priority or (waiting.priority = d.priority and waiting.id < d.id) limit 1001) a)
    ) as facts
    from d join machines m on m.id = d.machine_id join agents a on a.id = d.agent_id`.execute(db)
  return rows[0]?.facts ?? null
}
