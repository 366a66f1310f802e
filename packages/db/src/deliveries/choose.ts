import type { MachineId } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import { isBlocked, isSpent } from '../usage/waits-for.ts'

/** How many lane-less rows of an agent one statement looks at for each free slot: enough to pass over busy keys. */
const WINDOW_PER_SLOT = 16
/** Lanes of one machine that have something pending; one with more waits for a later look. */
const MAX_LANES = 256

/**
 * The part of a statement (after `with recursive`) that ends in a table `chosen (id)`: the pending deliveries of a
 * machine that go next, at most `slots`, oldest first within a priority. A delivery is passed over while its lane is in
 * use, its agent has `max_concurrent` live ones or is blocked, its concurrency key is at its limit, or its agent or job has
 * used up its runs of the hour (a lease that nobody has accepted yet counts as one) or its budget of the day, and when its
 * own time to live is over. Leasing and "why" are built on this same text, so they cannot disagree.
 *
 * The cost does not grow with what waits behind a busy lane or an agent without room: of each lane only the head of each
 * agent that has room is read (a loose index scan), and of rows without a lane only the first ones of such an agent. It
 * does grow with what a job has waiting that has used up its runs of the hour, because those rows are passed over one by one.
 */
export const chooseDeliveries = (machineId: MachineId, slots: RawBuilder<unknown>) => sql`
    live as materialized (
      select agent_id, job_id, lane, accepted_at from deliveries
      where machine_id = ${machineId} and state in ('leased', 'running', 'stalled')
    ),
    room as materialized (
      select a.id, least(
        a.max_concurrent - (select count(*) from live where live.agent_id = a.id),
        case when a.per_hour is not null then a.per_hour
          - (select count(*) from runs r where r.agent_id = a.id and r.accepted_at > now() - interval '1 hour')
          - (select count(*) from live where live.agent_id = a.id and live.accepted_at is null) end
      ) as slots
      from agents a where a.machine_id = ${machineId} and a.paused_at is null and a.archived_at is null
        and not ${isBlocked} and not ${isSpent.agent}
    ),
    hourly as materialized (
      select j.id, least(case when ${isSpent.job} then 0 else 1000000 end, (j.rules ->> 'perHour')::int - (
        select count(*) from runs r where r.job_id = j.id and r.accepted_at > now() - interval '1 hour')
        - (select count(*) from live where live.job_id = j.id and live.accepted_at is null)) as room
      from jobs j join room on room.id = j.agent_id where j.rules ->> 'perHour' is not null or j.budget is not null
    ),
    lanes (lane) as (
      (select lane from deliveries where machine_id = ${machineId} and state = 'pending' and lane is not null
        order by lane limit 1)
      union all
      select (select d.lane from deliveries d where d.machine_id = ${machineId} and d.state = 'pending'
        and d.lane > lanes.lane order by d.lane limit 1)
      from lanes where lanes.lane is not null
    ),
    heads as materialized (
      select distinct on (l.lane) head.*
      from (select lane from lanes where lane is not null limit ${MAX_LANES}::int) l cross join room
      cross join lateral (
        select ${candidate} from deliveries d
        where d.machine_id = ${machineId} and d.state = 'pending' and d.lane = l.lane and d.agent_id = room.id
          and (d.job_id is null or d.job_id not in (select id from hourly where hourly.room <= 0)) and ${isInTime}
        order by d.priority desc, d.id limit 1
      ) head
      where room.slots > 0 and l.lane not in (select lane from live where lane is not null)
      order by l.lane, head.priority desc, head.id
    ),
    others as materialized (
      select o.* from room
      cross join lateral (
        select ${candidate} from deliveries d
        where d.machine_id = ${machineId} and d.agent_id = room.id and d.state = 'pending' and d.lane is null
          and (d.job_id is null or d.job_id not in (select id from hourly where hourly.room <= 0)) and ${isInTime}
        order by d.priority desc, d.id limit (${slots}) * ${WINDOW_PER_SLOT}::int
      ) o
      where room.slots > 0
    ),
    busy as materialized (
      select concurrency_key, count(*) as live from deliveries
      where state in ('leased', 'running', 'stalled') and concurrency_key in (
        select concurrency_key from heads union all select concurrency_key from others)
      group by concurrency_key
    ),
    by_key as (
      select c.*, coalesce(c.concurrency_limit - coalesce(busy.live, 0), 1000000) as key_room,
        row_number() over (partition by coalesce(c.concurrency_key, c.id) order by c.priority desc, c.id) as key_place
      from (select * from heads union all select * from others) c
      left join busy on busy.concurrency_key = c.concurrency_key
    ),
    by_agent as (
      select *, row_number() over (partition by agent_id order by priority desc, id) as agent_place
      from by_key where key_place <= key_room
    ),
    by_job as (
      select by_agent.*, row_number() over (partition by by_agent.job_id
        order by by_agent.priority desc, by_agent.id) as job_place
      from by_agent join room on room.id = by_agent.agent_id where agent_place <= room.slots
    ),
    chosen as (
      select by_job.id from by_job left join hourly on hourly.id = by_job.job_id
      where hourly.id is null or by_job.job_place <= hourly.room
      order by by_job.priority desc, by_job.id limit (${slots})
    )`

/** What outlived its time to live waits for the sweep that says so. */
const isInTime = sql`(d.expires_at is null or d.expires_at > now())`

const candidate = sql`d.id, d.priority, d.agent_id, d.job_id, d.concurrency_key, d.concurrency_limit`
