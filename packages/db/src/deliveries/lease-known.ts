import type {
  DeliveryId,
  EventId,
  EventSource,
  JobId,
  MachineId,
  RunId,
  RunLimits,
  Trust,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** What a delivery is besides its agent, which the caller remembers. */
export type KnownLease = {
  fence: number
  delivery: {
    id: DeliveryId
    runId: RunId
    jobId: JobId | null
    jobKey: string | null
    lane: string | null
    workspace: string | null
    prompt: string
    limits: RunLimits
    trust: Trust
  }
  event: { id: EventId; source: EventSource; contentType: string | null; body: Buffer | null }
}

/**
 * Leases one delivery for its first attempt, if it is pending still, without choosing among others: for a session that
 * remembers that its machine has room for it. It must be without rules. Nothing is leased when `sessionEpoch` is no longer
 * the machine's newest session; a unique index holds the lane besides.
 */
export async function leaseKnown(
  db: Db,
  machineId: MachineId,
  options: { id: DeliveryId; sessionEpoch: number; leaseMs: number; bodyBytes: number },
): Promise<KnownLease | null> {
  const { rows } = await sql<Row>`
    with session as materialized (
      select id from machines
      where id = ${machineId} and session_epoch = ${options.sessionEpoch}::bigint
        and revoked_at is null and archived_at is null and draining_at is null
      for share
    ),
    leased as (
      update deliveries set state = 'leased', state_since = now(), reason = null, reason_message = null,
        fence = nextval('fences'), leased_at = now(), accepted_at = null,
        lease_expires_at = now() + ${options.leaseMs}::int * interval '1 ms'
      where id = ${options.id} and machine_id = ${machineId} and state = 'pending' and attempt = 0
        and exists (select from session)
      returning run_id, fence, event_id, job_id, lane, workspace, prompt, limits, trust
    )
    select d.run_id, d.fence, d.event_id, d.job_id, d.lane, d.workspace, d.prompt, d.limits, d.trust, e.source,
      e.content_type, case when octet_length(e.body) <= ${options.bodyBytes}::int then e.body end as body,
      (select key from jobs where id = d.job_id) as job_key
    from leased d join events e on e.id = d.event_id`.execute(db)
  const [row] = rows
  if (!row) return null
  const { fence, prompt, limits, trust, lane, workspace, source, body } = row
  const job = { jobId: row.job_id, jobKey: row.job_key }
  return {
    fence,
    delivery: { id: options.id, runId: row.run_id, ...job, lane, workspace, prompt, limits, trust },
    event: { id: row.event_id, source, contentType: row.content_type, body },
  }
}

type Row = {
  run_id: RunId
  fence: number
  event_id: EventId
  job_id: JobId | null
  job_key: string | null
  lane: string | null
  workspace: string | null
  prompt: string
  limits: RunLimits
  trust: Trust
  source: EventSource
  content_type: string | null
  body: Buffer | null
}
