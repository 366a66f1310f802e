import type {
  AgentId,
  DeliveryId,
  EventId,
  JobId,
  MachineId,
  PermissionMode,
  RunId,
  RunLimits,
  Runtime,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type LeasedDelivery = {
  id: DeliveryId
  runId: RunId
  fence: number
  attempt: number
  agentId: AgentId
  workspaceKey: string
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
  event: { id: EventId; source: 'webhook' | 'manual'; contentType: string | null; body: Buffer | null }
}

/** How many pending rows one statement looks at for each free slot: enough to pass over busy workspaces. */
const WINDOW_PER_SLOT = 16

/**
 * Leases up to `slots` pending deliveries to a machine, oldest first within a priority, and returns them whole.
 * Nothing is leased when `sessionEpoch` is no longer the machine's newest session. A delivery is passed over while its
 * agent has `max_concurrent` live ones or its workspace is in use. The caller must not run two of these for one
 * machine at once: the counts are read in the statement's own snapshot.
 */
export async function leaseDeliveries(
  db: Db,
  machineId: MachineId,
  options: { sessionEpoch: number; slots: number; leaseMs: number; bodyBytes: number },
): Promise<LeasedDelivery[]> {
  const { rows } = await sql<LeasedRow>`
    with session as materialized (
      select id from machines
      where id = ${machineId} and session_epoch = ${options.sessionEpoch}::bigint
        and revoked_at is null and archived_at is null and draining_at is null
      for share
    ),
    live as materialized (
      select agent_id, workspace_key from deliveries
      where machine_id = ${machineId} and state in ('leased', 'running', 'stalled')
    ),
    room as materialized (
      select a.id, a.max_concurrent - (select count(*) from live where live.agent_id = a.id) as slots
      from agents a where a.machine_id = ${machineId} and a.paused_at is null and a.archived_at is null
    ),
    candidates as materialized (
      select d.id, d.priority, d.agent_id, d.workspace_key from deliveries d
      where d.machine_id = ${machineId} and d.state = 'pending' and d.not_before <= now()
        and d.agent_id in (select id from room where slots > 0)
        and d.workspace_key not in (select workspace_key from live)
        and exists (select from session)
      order by d.priority desc, d.id
      limit ${options.slots * WINDOW_PER_SLOT}::int
      for update of d skip locked
    ),
    by_workspace as (
      select *, row_number() over (partition by workspace_key order by priority desc, id) as place from candidates
    ),
    by_agent as (
      select *, row_number() over (partition by agent_id order by priority desc, id) as agent_place
      from by_workspace where place = 1
    ),
    chosen as (
      select by_agent.id from by_agent join room on room.id = by_agent.agent_id
      where by_agent.agent_place <= room.slots
      order by by_agent.priority desc, by_agent.id limit ${options.slots}::int
    ),
    leased as (
      update deliveries d set state = 'leased', state_since = now(), reason = null, reason_message = null,
        fence = nextval('fences'), leased_at = now(), accepted_at = null,
        lease_expires_at = now() + ${options.leaseMs}::int * interval '1 ms',
        run_id = case when d.attempt > 0 and exists (select from runs r where r.id = d.run_id)
          then 'run_' || uuid7_hex() else d.run_id end
      from chosen where d.id = chosen.id and d.state = 'pending'
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
  select d.id, d.run_id, d.fence, d.attempt, d.agent_id, d.workspace_key, d.workspace, d.prompt, d.limits,
    a.key as agent_key, a.runtime, a.command, a.instructions, a.model, a.permission_mode,
    j.id as job_id, j.key as job_key, e.id as event_id, e.source, e.content_type,
    case when octet_length(e.body) <= ${bodyBytes}::int then e.body end as body`

type LeasedRow = {
  id: DeliveryId
  run_id: RunId
  fence: number
  attempt: number
  agent_id: AgentId
  workspace_key: string
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
  source: 'webhook' | 'manual'
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
    workspaceKey: row.workspace_key,
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
