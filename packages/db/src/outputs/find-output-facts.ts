import type {
  AgentId,
  DeliveryId,
  DeliveryState,
  ErrorKind,
  EventId,
  EventSource,
  MachineState,
  Outcome,
  RunChanges,
  RunId,
  RunState,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** What an output can say about a delivery and the run that its dispatch is about. */
export type OutputFacts = {
  deliveryId: DeliveryId
  deliveryState: DeliveryState
  reason: string | null
  reasonMessage: string | null
  runId: RunId
  state: RunState | null
  outcome: Outcome | null
  errorKind: ErrorKind | null
  message: string | null
  exitCode: number | null
  result: string | null
  attempt: number
  /** The folder that the run has worked in, as its machine reported it. */
  workspace: string | null
  changes: RunChanges | null
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
  job: { key: string; name: string }
  agent: { id: AgentId; key: string; name: string }
  machine: { name: string; state: MachineState }
  event: { id: EventId; source: EventSource; hops: number; contentType: string | null; body: Buffer | null }
}

/** `withBody` also reads the event's body, which can be large. Null: the delivery is gone. */
export async function findOutputFacts(
  db: Db,
  deliveryId: DeliveryId,
  runId: RunId | null,
  options: { withBody: boolean },
): Promise<OutputFacts | null> {
  const { rows } = await sql<Row>`
    select d.id, d.state as delivery_state, d.reason, d.reason_message, d.run_id as newest_run_id, d.attempt as
      delivery_attempt, d.created_at, d.finished_at as delivery_finished_at, r.id as run_id, r.state, r.outcome,
      r.error_kind, r.message, r.exit_code, r.result, r.attempt, r.workspace, r.changes, r.started_at,
      r.finished_at, j.key as job_key, j.name as job_name, a.id as agent_id, a.key as agent_key, a.name as agent_name,
      m.name as machine_name, machine_state(m) as machine_state, e.id as event_id, e.source, e.hops, e.content_type,
      ${options.withBody ? sql`e.body` : sql`null::bytea`} as body
    from deliveries d join agents a on a.id = d.agent_id join machines m on m.id = d.machine_id
      join events e on e.id = d.event_id left join jobs j on j.id = d.job_id
      left join runs r on r.delivery_id = d.id and r.id = coalesce(${runId}::text, d.run_id)
    where d.id = ${deliveryId}`.execute(db)
  const row = rows[0]
  if (!row) return null
  return {
    deliveryId: row.id,
    deliveryState: row.delivery_state,
    reason: row.reason,
    reasonMessage: row.reason_message,
    runId: row.run_id ?? row.newest_run_id,
    state: row.state,
    outcome: row.outcome,
    errorKind: row.error_kind,
    message: row.message,
    exitCode: row.exit_code,
    result: row.result,
    attempt: row.attempt ?? row.delivery_attempt,
    workspace: row.workspace,
    changes: row.changes,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? row.delivery_finished_at,
    job: { key: row.job_key ?? '', name: row.job_name ?? '' },
    agent: { id: row.agent_id, key: row.agent_key, name: row.agent_name },
    machine: { name: row.machine_name, state: row.machine_state },
    event: {
      id: row.event_id,
      source: row.source,
      hops: row.hops,
      contentType: row.content_type,
      body: row.body,
    },
  }
}

type Row = {
  id: DeliveryId
  delivery_state: DeliveryState
  reason: string | null
  reason_message: string | null
  newest_run_id: RunId
  delivery_attempt: number
  created_at: Date
  delivery_finished_at: Date | null
  run_id: RunId | null
  state: RunState | null
  outcome: Outcome | null
  error_kind: ErrorKind | null
  message: string | null
  exit_code: number | null
  result: string | null
  attempt: number | null
  workspace: string | null
  changes: RunChanges | null
  started_at: Date | null
  finished_at: Date | null
  job_key: string | null
  job_name: string | null
  agent_id: AgentId
  agent_key: string
  agent_name: string
  machine_name: string
  machine_state: MachineState
  event_id: EventId
  source: EventSource
  hops: number
  content_type: string | null
  body: Buffer | null
}
