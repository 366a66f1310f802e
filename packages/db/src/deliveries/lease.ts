import type {
  AgentId,
  DeliveryId,
  EventId,
  EventSource,
  JobId,
  MachineId,
  PermissionMode,
  RunId,
  RunLimits,
  Runtime,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { chooseDeliveries } from './choose.ts'

export type LeasedDelivery = {
  id: DeliveryId
  runId: RunId
  fence: number
  attempt: number
  agentId: AgentId
  lane: string | null
  workspace: string | null
  prompt: string
  limits: RunLimits
  agent: {
    key: string
    runtime: Runtime
    command: string | null
    instructions: string
    model: string | null
    permissionMode: PermissionMode
  }
  job: { id: JobId; key: string } | null
  event: { id: EventId; source: EventSource; contentType: string | null; body: Buffer | null }
}

/**
 * Leases up to `slots` pending deliveries to a machine (see `chooseDeliveries`) and returns them whole. Nothing is leased
 * when `sessionEpoch` is no longer the machine's newest session.
 *
 * The caller must not run two of these for one machine at once: the counts are read in the statement's own snapshot.
 * Unique indexes hold the lane and the one-at-a-time key besides, across all machines and relays.
 */
export async function leaseDeliveries(
  db: Db,
  machineId: MachineId,
  options: { sessionEpoch: number; slots: number; leaseMs: number; bodyBytes: number },
): Promise<LeasedDelivery[]> {
  const { rows } = await sql<LeasedRow>`
    with recursive session as materialized (
      select id from machines
      where id = ${machineId} and session_epoch = ${options.sessionEpoch}::bigint
        and revoked_at is null and archived_at is null and draining_at is null
      for share
    ),
    ${chooseDeliveries(machineId, sql`${options.slots}::int`)},
    locked as (
      select d.id from deliveries d
      where d.id in (select id from chosen) and d.state = 'pending' and exists (select from session)
      for update skip locked
    ),
    leased as (
      update deliveries d set state = 'leased', state_since = now(), reason = null, reason_message = null,
        fence = nextval('fences'), leased_at = now(), accepted_at = null,
        lease_expires_at = now() + ${options.leaseMs}::int * interval '1 ms',
        run_id = case when d.attempt > 0 and exists (select from runs r where r.id = d.run_id)
          then 'run_' || uuid7_hex() else d.run_id end
      from locked where d.id = locked.id and d.state = 'pending'
      returning d.*
    )
    ${leasedColumns(options.bodyBytes)} from leased d
      join agents a on a.id = d.agent_id join events e on e.id = d.event_id left join jobs j on j.id = d.job_id
    order by d.priority desc, d.id`.execute(db)
  return rows.map(toLeasedDelivery)
}

/** Leases of this machine that nobody accepted yet: pushed again when its session opens, under the same fence. */
export async function listUnacceptedLeases(
  db: Db,
  machineId: MachineId,
  bodyBytes: number,
): Promise<LeasedDelivery[]> {
  const { rows } = await sql<LeasedRow>`
    ${leasedColumns(bodyBytes)} from deliveries d
      join agents a on a.id = d.agent_id join events e on e.id = d.event_id left join jobs j on j.id = d.job_id
    where d.machine_id = ${machineId} and d.state = 'leased' and d.accepted_at is null
    order by d.priority desc, d.id`.execute(db)
  return rows.map(toLeasedDelivery)
}

const leasedColumns = (bodyBytes: number) => sql`
  select d.id, d.run_id, d.fence, d.attempt, d.agent_id, d.lane, d.workspace, d.prompt, d.limits,
    a.key as agent_key, a.runtime, a.command, a.instructions, a.model, a.permission_mode,
    j.id as job_id, j.key as job_key, e.id as event_id, e.source, e.content_type,
    case when octet_length(e.body) <= ${bodyBytes}::int then e.body end as body`

type LeasedRow = {
  id: DeliveryId
  run_id: RunId
  fence: number
  attempt: number
  agent_id: AgentId
  lane: string | null
  workspace: string | null
  prompt: string
  limits: RunLimits
  agent_key: string
  runtime: Runtime
  command: string | null
  instructions: string
  model: string | null
  permission_mode: PermissionMode
  job_id: JobId | null
  job_key: string | null
  event_id: EventId
  source: EventSource
  content_type: string | null
  body: Buffer | null
}

function toLeasedDelivery(row: LeasedRow): LeasedDelivery {
  return {
    id: row.id,
    runId: row.run_id,
    fence: row.fence,
    attempt: row.attempt + 1,
    agentId: row.agent_id,
    lane: row.lane,
    workspace: row.workspace,
    prompt: row.prompt,
    limits: row.limits,
    agent: {
      key: row.agent_key,
      runtime: row.runtime,
      command: row.command,
      instructions: row.instructions,
      model: row.model,
      permissionMode: row.permission_mode,
    },
    job: row.job_id && row.job_key ? { id: row.job_id, key: row.job_key } : null,
    event: { id: row.event_id, source: row.source, contentType: row.content_type, body: row.body },
  }
}
