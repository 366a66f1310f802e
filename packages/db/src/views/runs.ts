import {
  type AgentId,
  type ChangesSummary,
  type DeliveryId,
  type DeliveryState,
  type ErrorKind,
  type EventId,
  type EventSource,
  isBetweenAttempts,
  type JobId,
  type KillProof,
  type MachineId,
  type MachineState,
  type OpenApproval,
  type OrganizationId,
  type Outcome,
  type RunEnd,
  type RunId,
  type RunLimits,
  type RunState,
  type RunSummary,
  type Runtime,
  type RunView,
  statusWord,
  type Trust,
  type UndoView,
  type Usage,
} from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'
import { listDispatchViews, toDispatchView } from '../outputs/dispatch-views.ts'
import { statusSentence } from './status-sentence.ts'
import { toTranscript } from './to-transcript.ts'

type Row = {
  delivery_id: DeliveryId
  delivery_state: DeliveryState
  reason_message: string | null
  prompt: string
  delivery_workspace: string | null
  limits: RunLimits
  delivery_attempt: number
  cancel_requested_at: Date | null
  parked_until: Date | null
  trust: Trust
  conversation: string | null
  newest_run_id: RunId
  expires_at: Date | null
  created_at: Date
  delivery_leased_at: Date | null
  delivery_finished_at: Date | null
  run_id: RunId
  attempt: number | null
  state: RunState | null
  outcome: Outcome | null
  error_kind: ErrorKind | null
  message: string | null
  exit_code: number | null
  result: string | null
  has_result: boolean
  usage: Usage | null
  session_id: string | null
  kill_proof: KillProof | null
  changes: ChangesSummary | null
  undo: UndoView | null
  workspace: string | null
  last_seq: number | null
  last_hash: string | null
  final_seq: number | null
  final_hash: string | null
  leased_at: Date | null
  accepted_at: Date | null
  started_at: Date | null
  first_output_at: Date | null
  consumed_at: Date | null
  finished_at: Date | null
  open_approvals: OpenApproval[] | null
  agent_id: AgentId
  agent_key: string
  agent_name: string
  runtime: Runtime
  machine_id: MachineId
  machine_name: string
  machine_state: MachineState
  job_id: JobId | null
  job_key: string | null
  job_name: string | null
  event_id: EventId
  source: EventSource
  attempts: ({ id: RunId; attempt: number } & RunEnd)[] | null
}

/** A delivery with one of its runs: `on` says which (the newest is d.run_id, which may not exist yet). */
const select = (
  organizationId: OrganizationId,
  run: RawBuilder<unknown>,
  prompt: RawBuilder<unknown>,
  attempts: RawBuilder<unknown>,
  result = sql`r.result`,
) => sql`
  select d.id as delivery_id, d.state as delivery_state, d.reason_message, ${prompt} as prompt,
    d.workspace as delivery_workspace, d.limits, d.attempt as delivery_attempt, d.cancel_requested_at, d.parked_until, d.expires_at,
    d.trust, d.conversation, d.run_id as newest_run_id,
    d.created_at,
    d.leased_at as delivery_leased_at, d.finished_at as delivery_finished_at, coalesce(r.id, d.run_id) as run_id,
    r.attempt, r.state, r.outcome, r.error_kind, r.message, r.exit_code, ${result} as result,
    coalesce(r.result, '') <> '' as has_result, r.usage, r.session_id, r.kill_proof,
    r.changes, ${newestUndo} as undo,
    r.workspace, r.last_seq, r.last_hash, r.final_seq, r.final_hash, r.leased_at, r.accepted_at, r.started_at,
    r.first_output_at, r.consumed_at, r.finished_at, a.id as agent_id, a.key as agent_key, a.name as agent_name,
    a.runtime, m.id as machine_id, m.name as machine_name, machine_state(m) as machine_state, j.id as job_id,
    j.key as job_key, j.name as job_name, e.id as event_id, e.source, ${openApprovals} as open_approvals, ${attempts} as attempts
  from deliveries d join agents a on a.id = d.agent_id join machines m on m.id = d.machine_id
    join events e on e.id = d.event_id left join jobs j on j.id = d.job_id left join runs r on ${run}
  where d.organization_id = ${organizationId}`

/** In ms since 1970, as the view has them. */
const openApprovals = sql`(select json_agg(json_build_object('id', p.id, 'tool', p.tool, 'summary', left(p.summary, 1000),
  'askedAt', floor(extract(epoch from p.asked_at) * 1000), 'expiresAt', floor(extract(epoch from p.expires_at) * 1000))
  order by p.id) from approvals p where p.run_id = r.id and p.state = 'open')`
const newest = sql`r.id = d.run_id`
const newestUndo = sql`(
  select json_build_object('id', u.id, 'runId', u.run_id, 'kind', u.kind, 'dryRun', u.dry_run, 'state', u.state,
    'message', u.message, 'files', u.files, 'blocked', u.blocked,
    'askedAt', floor(extract(epoch from u.created_at) * 1000), 'settledAt', floor(extract(epoch from u.settled_at) * 1000))
  from undos u where u.run_id = r.id and not u.dry_run order by u.id desc limit 1)`
const allAttempts = sql`(select json_agg(json_build_object('id', o.id, 'attempt', o.attempt, 'state', o.state,
  'outcome', o.outcome, 'hasResult', coalesce(o.result, '') <> '') order by o.attempt) from runs o where o.delivery_id = d.id)`

export type RunFilter = {
  agentId?: AgentId | undefined
  jobId?: JobId | undefined
  machineId?: MachineId | undefined
  /** Only deliveries that are still to be done, or only those that are not. */
  finished?: boolean | undefined
  before?: DeliveryId | undefined
  limit: number
}

/** Deliveries with their newest run, newest first. */
export async function listRunSummaries(
  db: Db,
  organizationId: OrganizationId,
  filter: RunFilter,
): Promise<RunSummary[]> {
  const open = sql`('pending', 'leased', 'running', 'stalled', 'parked')`
  const { rows } = await sql<Row>`
    ${select(organizationId, newest, sql`left(d.prompt, 200)`, sql`null`, sql`left(r.result, 300)`)}
      ${filter.agentId ? sql`and d.agent_id = ${filter.agentId}` : sql``}
      ${filter.jobId ? sql`and d.job_id = ${filter.jobId}` : sql``}
      ${filter.machineId ? sql`and d.machine_id = ${filter.machineId}` : sql``}
      ${filter.before ? sql`and d.id < ${filter.before}` : sql``}
      ${filter.finished === undefined ? sql`` : filter.finished ? sql`and d.state not in ${open}` : sql`and d.state in ${open}`}
    order by d.id desc limit ${filter.limit}::int`.execute(db)
  return rows.map((row) => {
    const {
      id,
      deliveryId,
      attempt,
      status,
      sentence,
      state,
      deliveryState,
      outcome,
      agent,
      machine,
      job,
      event,
      ladder,
      result,
    } = toRunView(row)
    return {
      id,
      deliveryId,
      attempt,
      status,
      sentence,
      state,
      deliveryState,
      outcome,
      agent,
      machine,
      job,
      event,
      ladder,
      promptStart: row.prompt,
      resultStart: result,
    }
  })
}

/**
 * The run with this id (a delivery's id gives its newest run, the start of a run id the only one that begins so).
 * Null: this organization has none, or the start fits several.
 */
export async function findRunView(
  db: Db,
  organizationId: OrganizationId,
  id: string,
): Promise<RunView | null> {
  if (!/^(run|dlv)_[0-9a-f]{4,32}$/.test(id)) return null
  const isWhole = id.length === 36
  const query = id.startsWith('dlv_')
    ? sql<Row>`${select(organizationId, newest, sql`d.prompt`, allAttempts)} and d.id = ${id}`
    : isWhole
      ? sql<Row>`${select(organizationId, sql`r.delivery_id = d.id and r.id = ${id}`, sql`d.prompt`, allAttempts)}
          and (d.run_id = ${id} or r.id is not null) and d.id = coalesce(
            (select delivery_id from runs where id = ${id}), (select id from deliveries where run_id = ${id}))`
      : sql<Row>`${select(organizationId, newest, sql`d.prompt`, allAttempts)}
          and d.run_id >= ${id} and d.run_id < ${`${id}g`} limit 2`
  const { rows } = await query.execute(db)
  const row = rows[0]
  if (!row || rows.length !== 1) return null
  const dispatches = await listDispatchViews(db, organizationId, { deliveryId: row.delivery_id, limit: 100 })
  return { ...toRunView(row), dispatches: dispatches.map(toDispatchView).toReversed() }
}

const time = (date: Date | null) => date?.getTime() ?? null

function toRunView(row: Row): RunView {
  const isBetween =
    row.state !== null && row.run_id === row.newest_run_id && isBetweenAttempts(row.delivery_state, row.state)
  // What the last attempt said is not why it was not tried again.
  const isExpired = row.delivery_state === 'expired' && row.run_id === row.newest_run_id
  const run =
    row.state === null || isBetween
      ? null
      : { state: row.state, outcome: row.outcome, hasResult: row.has_result }
  const waitsFor = row.open_approvals ?? []
  const status = statusWord(row.delivery_state, run, row.machine_state, waitsFor.length > 0)
  return {
    id: row.run_id,
    deliveryId: row.delivery_id,
    attempt: row.attempt ?? row.delivery_attempt + 1,
    status,
    sentence: statusSentence({
      status,
      outcome: row.outcome,
      errorKind: isExpired ? null : row.error_kind,
      message: isBetween || isExpired ? row.reason_message : (row.message ?? row.reason_message),
      waitsFor,
      exitCode: row.exit_code,
      machineName: row.machine_name,
      isMachineDraining: row.machine_state === 'draining',
      agentName: row.agent_name,
      cancelRequested: row.cancel_requested_at !== null,
      started: row.started_at !== null,
    }),
    state: row.state,
    deliveryState: row.delivery_state,
    outcome: row.outcome,
    errorKind: row.error_kind,
    message: row.message ?? row.reason_message,
    exitCode: row.exit_code,
    result: row.result,
    usage: row.usage,
    sessionId: row.session_id,
    killProof: row.kill_proof,
    changes: row.changes,
    undo: row.undo,
    prompt: row.prompt,
    workspace: row.workspace ?? row.delivery_workspace,
    requestedWorkspace: row.delivery_workspace,
    limits: row.limits,
    agent: { id: row.agent_id, key: row.agent_key, name: row.agent_name, runtime: row.runtime },
    machine: { id: row.machine_id, name: row.machine_name, state: row.machine_state },
    job:
      row.job_id && row.job_key && row.job_name
        ? { id: row.job_id, key: row.job_key, name: row.job_name }
        : null,
    event: { id: row.event_id, source: row.source },
    cancelRequestedAt: time(row.cancel_requested_at),
    parkedUntil: time(row.parked_until),
    trust: row.trust,
    conversation: row.conversation,
    expiresAt: time(row.expires_at),
    ladder: {
      storedAt: row.created_at.getTime(),
      leasedAt: time(row.leased_at ?? row.delivery_leased_at),
      acceptedAt: time(row.accepted_at),
      startedAt: time(row.started_at),
      firstOutputAt: time(row.first_output_at),
      consumedAt: time(row.consumed_at),
      finishedAt: time(row.finished_at ?? row.delivery_finished_at),
    },
    openApprovals: waitsFor,
    dispatches: [],
    transcript: toTranscript(row),
    attempts: (row.attempts ?? []).map((other) => ({
      id: other.id,
      attempt: other.attempt,
      status:
        other.id === row.run_id && !isBetween
          ? status
          : statusWord(row.delivery_state, other, row.machine_state),
    })),
  }
}
