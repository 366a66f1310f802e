import type { MachineId } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import { isBlocked, isSpent } from '../usage/waits-for.ts'

/** How many lane-less rows of an agent one statement looks at for each free slot: enough to pass over busy keys. */
const WINDOW_PER_SLOT = 16
/** How many it looks at while a key is at its limit, so that what waits for that key hides nothing that does not. */
const WINDOW_WHILE_FULL = 2_000
/** Lanes of one machine that have something pending; one with more waits for a later look. */
const MAX_LANES = 256
/** Lanes of an agent with one job each, read while another job has used up its hour or budget. */
const MAX_PLACES = 1_024

/**
 * The part of a statement (after `with recursive`) that ends in a table `chosen (id)`: the pending deliveries of a
 * machine that go next, at most `slots`, oldest first within a priority. A delivery is passed over while its lane is in
 * use, its agent has `max_concurrent` live ones or is blocked, its concurrency key is at its limit, or its agent or job has
 * used up its runs of the hour (a lease that nobody has accepted yet counts as one) or its budget of the day, and when its
 * own time to live is over. Leasing and "why" are built on this same text, so they cannot disagree.
 *
 * The cost does not grow with what waits behind a busy lane or an agent without room: of each lane only the head of each
 * agent that has room is read (a loose index scan), and of rows without a lane only the first ones of such an agent. While
 * a job has used up its runs of the hour or its budget, what it has waiting is not passed over row by row either: then the
 * same is read for each other job that has something waiting in a lane (`waiting_jobs`, another loose index scan).
 */
export const chooseDeliveries = (machineId: MachineId, slots: RawBuilder<unknown>) => sql`
    live as materialized (
      select agent_id, job_id, lane, accepted_at, concurrency_key, concurrency_limit from deliveries
      where machine_id = ${machineId} and state in ('leased', 'running', 'stalled')
    ),
    full_keys as materialized (
      select concurrency_key from live where concurrency_key is not null
      group by concurrency_key having count(*) >= min(concurrency_limit)
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
    free_lanes as materialized (
      select lane from (select lane from lanes where lane is not null limit ${MAX_LANES}::int) l
      where lane not in (select lane from live where lane is not null)
    ),
    used_up as materialized (select id from hourly where hourly.room <= 0),
    waiting_jobs (agent_id, lane, job) as (
      select p.agent_id, p.lane, (select ${jobOf} from deliveries d where ${isOfPlace(machineId)}
        order by ${jobOf} limit 1)
      from (
        select room.id as agent_id, l.lane from room cross join (select '' as lane union all select lane from free_lanes) l
        where room.slots > 0 and exists (select from used_up)
      ) p
      union all
      select p.agent_id, p.lane, (select ${jobOf} from deliveries d where ${isOfPlace(machineId)} and ${jobOf} > p.job
        order by ${jobOf} limit 1)
      from waiting_jobs p where p.job is not null
    ),
    places as materialized (
      select * from waiting_jobs where job is not null and job not in (select id from used_up) limit ${MAX_PLACES}::int
    ),
    heads as materialized (
      select distinct on (lane) id, priority, agent_id, job_id, concurrency_key, concurrency_limit from (
        select l.lane, head.* from free_lanes l cross join room cross join lateral (
          select ${candidate} from deliveries d
          where d.machine_id = ${machineId} and d.state = 'pending' and d.lane = l.lane and d.agent_id = room.id
            and ${mayStart(machineId)}
          order by d.priority desc, d.id limit 1
        ) head
        where room.slots > 0 and not exists (select from used_up)
        union all
        select p.lane, head.* from places p cross join lateral (
          select ${candidate} from deliveries d where ${isOfPlace(machineId)} and ${jobOf} = p.job and ${mayStart(machineId)}
          order by d.priority desc, d.id limit 1
        ) head
        where p.lane <> ''
      ) of_lanes
      order by lane, priority desc, id
    ),
    others as materialized (
      select o.* from room
      cross join lateral (
        ${firstOf(machineId, sql`d.machine_id = ${machineId} and d.agent_id = room.id and d.state = 'pending' and d.lane is null`, slots)}
      ) o
      where room.slots > 0 and not exists (select from used_up)
      union all
      select o.* from places p cross join lateral (
        ${firstOf(machineId, sql`${isOfPlace(machineId)} and ${jobOf} = p.job`, slots)}
      ) o
      where p.lane = ''
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

/** As the index `deliveries_places` has them: no lane and no job are the empty text. */
const laneOf = sql`coalesce(d.lane, '')`
const jobOf = sql`coalesce(d.job_id, '')`
const isOfPlace = (machineId: MachineId) =>
  sql`d.machine_id = ${machineId} and d.state = 'pending' and d.agent_id = p.agent_id and ${laneOf} = p.lane`

/**
 * What outlived its time to live waits for the sweep that says so. What was accepted and not heard of since may be at work
 * behind a line that is cut: it is leased anew only when its machine was heard of after the lapse (and had a second to say
 * that it holds it), or the agent that runs there would be ended and started again.
 */
const mayStart = (machineId: MachineId) =>
  sql`((d.expires_at is null or d.expires_at > now()) and ${wasHeardOf(machineId)})`

export const wasHeardOf = (machineId: MachineId) => sql`(d.accepted_at is null or d.state_since < (
  select case when m.last_heartbeat_at is null then 'infinity' when m.last_heartbeat_at < now() - interval '1 second'
    then m.last_heartbeat_at else '-infinity' end from machines m where m.id = ${machineId}))`

const candidate = sql`d.id, d.priority, d.agent_id, d.job_id, d.concurrency_key, d.concurrency_limit`

/**
 * The first rows of an agent without a lane. With a key at its limit more of them are looked at, but never more than
 * `WINDOW_WHILE_FULL`. (Two reads with a limit that the planner knows: with one whose limit is a choice, it read all rows.)
 */
const firstOf = (machineId: MachineId, where: RawBuilder<unknown>, slots: RawBuilder<unknown>) => {
  const rows = (limit: RawBuilder<unknown>) => sql`
    select ${candidate} from deliveries d where ${where} and ${mayStart(machineId)} order by d.priority desc, d.id limit ${limit}`
  const window = sql`(${slots}) * ${WINDOW_PER_SLOT}::int`
  return sql`
  select * from (${rows(window)}) d where not exists (select from full_keys)
  union all
  select * from (
    select * from (${rows(sql`${WINDOW_WHILE_FULL}::int`)}) d
    where d.concurrency_key is null or d.concurrency_key not in (select concurrency_key from full_keys)
    order by d.priority desc, d.id limit ${window}
  ) d where exists (select from full_keys)`
}
