import type { ApprovalId, RunId } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'

/** What run events that are stored together do to approvals and to what was said to a run. */
export type ApprovalSteps = {
  /** Questions, each once for its run and `ask`. `state` is not `open` when its end came in the same batch. */
  asked: {
    id: ApprovalId
    ask: string
    tool: string
    summary: string
    input: unknown
    inputCut: boolean
    cwd: string
    actionHash: string
    expiresMs: number
    state: 'open' | 'expired' | 'withdrawn'
  }[]
  /** The machine denied them by its own clock, or nobody waits for them any more. */
  closed: { ask: string; state: 'expired' | 'withdrawn' }[]
  steered: { id: string; state: 'consumed' | 'indeterminate' }[]
}

/**
 * The tables of the append statement (after its `next`) that carry the steps out, for the runs whose events are stored by
 * the same statement: an approval is there exactly when its event is.
 */
export function approvalTables(
  items: readonly { runId: RunId; steps?: ApprovalSteps }[],
): RawBuilder<unknown> {
  const asked = items.flatMap(({ runId, steps }) => (steps?.asked ?? []).map((one) => ({ ...one, runId })))
  const closed = items.flatMap(({ runId, steps }) => (steps?.closed ?? []).map((one) => ({ ...one, runId })))
  const steered = items.flatMap(({ runId, steps }) =>
    (steps?.steered ?? []).map((one) => ({ ...one, runId })),
  )
  if (asked.length + closed.length + steered.length === 0) return sql``
  return sql`,
    asked as (
      insert into approvals (id, organization_id, run_id, delivery_id, fence, ask, tool, summary, input, input_cut, cwd,
        action_hash, expires_at, state, answered_at, answered_via)
      select a.id, next.organization_id, next.id, next.delivery_id, next.fence, a.ask, a.tool, a.summary,
        coalesce(a.input, 'null'), a."inputCut", a.cwd, a."actionHash", now() + a."expiresMs" * interval '1 ms', a.state,
        case when a.state <> 'open' then now() end, case when a.state <> 'open' then 'relay' end
      from json_to_recordset(${JSON.stringify(asked)}::text::json) as a (id text, "runId" text, ask text, tool text,
        summary text, input jsonb, "inputCut" boolean, cwd text, "actionHash" text, "expiresMs" bigint, state text)
      join next on next.id = a."runId"
      on conflict (run_id, ask) do nothing
    ),
    closed as (
      update approvals p set state = c.state, answered_at = now(), answered_via = 'relay'
      from json_to_recordset(${JSON.stringify(closed)}::text::json) as c ("runId" text, ask text, state text)
      join next on next.id = c."runId"
      where p.run_id = next.id and p.ask = c.ask and p.state = 'open'
    ),
    steered as (
      update run_controls k set state = s.state
      from json_to_recordset(${JSON.stringify(steered)}::text::json) as s ("runId" text, id text, state text)
      join next on next.id = s."runId"
      where k.run_id = next.id and k.id = s.id and k.state in ('queued', 'delivered', 'indeterminate')
    )`
}
