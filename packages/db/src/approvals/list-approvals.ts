import type {
  AgentId,
  AnsweredVia,
  ApprovalId,
  ApprovalScope,
  ApprovalState,
  ApprovalView,
  ControlState,
  DeliveryId,
  JobId,
  MachineId,
  OrganizationId,
  RunId,
  UserId,
} from '@baton/protocol'
import { patternOf } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type ApprovalFilter = {
  state?: ApprovalState | undefined
  runId?: RunId | undefined
  before?: ApprovalId | undefined
  /** The newest first, else the oldest. */
  newestFirst: boolean
  limit: number
}

type Row = {
  id: ApprovalId
  state: ApprovalState
  run_id: RunId
  delivery_id: DeliveryId
  agent_id: AgentId
  agent_key: string
  agent_name: string
  machine_id: MachineId
  machine_name: string
  job_id: JobId | null
  job_key: string | null
  job_name: string | null
  ask: string
  tool: string
  summary: string
  input: unknown
  input_cut: boolean
  cwd: string
  action_hash: string
  asked_at: Date
  expires_at: Date
  answered_at: Date | null
  answered_by: UserId | null
  answered_name: string | null
  answered_via: AnsweredVia | null
  scope: ApprovalScope | null
  pattern: string | null
  message: string | null
  answer_state: ControlState | null
  answer_reason: string | null
}

const select = sql`
  select p.id, p.state, p.run_id, p.delivery_id, a.id as agent_id, a.key as agent_key, a.name as agent_name,
    m.id as machine_id, m.name as machine_name, j.id as job_id, j.key as job_key, j.name as job_name, p.ask, p.tool,
    p.summary, p.input, p.input_cut, p.cwd, p.action_hash, p.asked_at, p.expires_at, p.answered_at, p.answered_by,
    coalesce(u.name, p.answered_name) as answered_name, p.answered_via, p.scope, p.pattern, p.message, c.state as answer_state,
    c.reason as answer_reason
  from approvals p join runs r on r.id = p.run_id join agents a on a.id = r.agent_id join machines m on m.id = r.machine_id
    left join jobs j on j.id = r.job_id left join users u on u.id = p.answered_by
    left join run_controls c on c.run_id = p.run_id and c.kind = 'answer' and c.approval_id = p.id`

export async function listApprovals(
  db: Db,
  organizationId: OrganizationId,
  filter: ApprovalFilter,
): Promise<ApprovalView[]> {
  const { rows } = await sql<Row>`
    ${select} where p.organization_id = ${organizationId}
      ${filter.state ? sql`and p.state = ${filter.state}` : sql``}
      ${filter.runId ? sql`and p.run_id = ${filter.runId}` : sql``}
      ${filter.before ? sql`and p.id < ${filter.before}` : sql``}
    order by p.id ${filter.newestFirst ? sql`desc` : sql``} limit ${filter.limit}::int`.execute(db)
  return rows.map(toApprovalView)
}

/** The approval with this id, or the only one of the organization whose id begins so. */
export async function findApproval(
  db: Db,
  organizationId: OrganizationId,
  id: string,
): Promise<ApprovalView | null> {
  if (!/^apr_[0-9a-f]{4,32}$/.test(id)) return null
  const { rows } = await sql<Row>`
    ${select} where p.organization_id = ${organizationId} and p.id >= ${id} and p.id < ${`${id}g`} limit 2`.execute(
    db,
  )
  const [row] = rows
  return row && rows.length === 1 ? toApprovalView(row) : null
}

function toApprovalView(row: Row): ApprovalView {
  return {
    id: row.id,
    state: row.state,
    run: { id: row.run_id, deliveryId: row.delivery_id },
    agent: { id: row.agent_id, key: row.agent_key, name: row.agent_name },
    machine: { id: row.machine_id, name: row.machine_name },
    job:
      row.job_id && row.job_key && row.job_name
        ? { id: row.job_id, key: row.job_key, name: row.job_name }
        : null,
    ask: row.ask,
    tool: row.tool,
    summary: row.summary,
    input: row.input,
    inputCut: row.input_cut,
    cwd: row.cwd,
    actionHash: row.action_hash,
    pattern: row.pattern ?? (row.input_cut ? null : patternOf({ tool: row.tool, input: row.input })),
    askedAt: row.asked_at.getTime(),
    expiresAt: row.expires_at.getTime(),
    answeredAt: row.answered_at?.getTime() ?? null,
    answeredBy: row.answered_name === null ? null : { id: row.answered_by, name: row.answered_name },
    answeredVia: row.answered_via,
    scope: row.scope,
    message: row.message,
    answer: row.answer_state ? { state: row.answer_state, reason: row.answer_reason } : null,
  }
}
