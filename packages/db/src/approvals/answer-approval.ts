import type {
  AnsweredVia,
  ApprovalId,
  ApprovalScope,
  ControlId,
  JobId,
  MachineId,
  OrganizationId,
  RunId,
  UserId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { isHeld } from './is-held.ts'

export type ApprovalAnswer = {
  decision: 'allow' | 'deny'
  scope: ApprovalScope
  pattern: string | null
  message: string | null
  by: UserId
  via: AnsweredVia
  controlId: ControlId
}
export type Answered = { runId: RunId; machineId: MachineId; jobId: JobId | null }

/**
 * Answers an open approval: the first answer wins, and with it, in the same statement, the control that takes it to the
 * machine and the pattern on its job's allow-list. Null: it was answered, ran out, or nobody waits for it any more.
 */
export async function answerApproval(
  db: Db,
  organizationId: OrganizationId,
  id: ApprovalId,
  answer: ApprovalAnswer,
): Promise<Answered | null> {
  const allows = answer.decision === 'allow'
  const { rows } = await sql<{ run_id: RunId; machine_id: MachineId; job_id: JobId | null }>`
    with answered as (
      update approvals p set state = ${allows ? 'allowed' : 'denied'}::text,
        scope = ${allows ? answer.scope : null}::text, pattern = ${allows ? answer.pattern : null}::text,
        message = ${answer.message}::text, answered_by = ${answer.by}::text, answered_via = ${answer.via}::text,
        answered_at = now()
      from runs r join deliveries d on d.id = r.delivery_id
      where p.id = ${id} and p.organization_id = ${organizationId} and p.state = 'open' and p.expires_at > now()
        and r.id = p.run_id and ${isHeld}
      returning p.id, p.organization_id, p.run_id, p.delivery_id, p.fence, r.machine_id, r.job_id, p.scope, p.pattern
    ),
    told as (
      insert into run_controls (id, organization_id, run_id, delivery_id, machine_id, fence, kind, approval_id, made_by,
        made_via)
      select ${answer.controlId}, organization_id, run_id, delivery_id, machine_id, fence, 'answer', id, ${answer.by}::text,
        ${answer.via}::text from answered
    ),
    kept as (
      update jobs j set updated_at = now(), approvals = jsonb_set(j.approvals, '{allow}',
        coalesce(j.approvals -> 'allow', '[]') || to_jsonb(answered.pattern))
      from answered
      where answered.scope = 'job' and j.id = answered.job_id
        and not coalesce(j.approvals -> 'allow', '[]') @> to_jsonb(answered.pattern)
    )
    select run_id, machine_id, job_id from answered`.execute(db)
  const [row] = rows
  return row ? { runId: row.run_id, machineId: row.machine_id, jobId: row.job_id } : null
}
