import {
  type AgentId,
  type ApprovalSettings,
  type Budget,
  DEFAULT_RULES,
  type DeliveryState,
  isBetweenAttempts,
  type JobId,
  type JobView,
  type MachineState,
  type OrganizationId,
  type Outcome,
  type RunId,
  type RunLimits,
  type RunRules,
  type RunState,
  statusWord,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { type TriggerJson, toTriggerView } from './to-trigger-view.ts'

type Row = {
  id: JobId
  key: string
  name: string
  prompt: string
  workspace: string | null
  limits: RunLimits
  rules: RunRules
  approvals: ApprovalSettings
  budget: Budget | null
  keep_runs: number | null
  keep_days: number | null
  enabled: boolean
  created_at: Date
  updated_at: Date
  agent_id: AgentId
  agent_key: string
  agent_name: string
  triggers: TriggerJson[] | null
  last_runs:
    | {
        id: RunId
        at: number
        delivery: DeliveryState
        state: RunState | null
        outcome: Outcome | null
        hasResult: boolean
        tookMs: number | null
        machine: MachineState
        waits: boolean
      }[]
    | null
}

const LAST_RUNS = 20

/** Jobs of an organization that are not deleted, or the one with this id or key. `publicUrl` completes webhook addresses. */
export async function listJobViews(
  db: Db,
  organizationId: OrganizationId,
  publicUrl: string,
  only?: { idOrKey: string },
): Promise<JobView[]> {
  const { rows } = await sql<Row>`
    select j.id, j.key, j.name, j.prompt, j.workspace, j.limits, j.rules, j.approvals, j.budget, j.keep_runs, j.keep_days, j.disabled_at is null as enabled, j.created_at,
      j.updated_at, a.id as agent_id, a.key as agent_key, a.name as agent_name,
      (select json_agg(json_build_object('id', t.id, 'kind', t.kind, 'paused', t.paused_at is not null, 'path', t.path,
          'scheme', t.scheme, 'secrets', cardinality(t.secrets), 'config', t.config, 'watch', t.watch,
          'nextFireAt', floor(extract(epoch from t.next_fire_at) * 1000)) order by t.id)
        from triggers t where t.job_id = j.id and t.deleted_at is null) as triggers,
      (select json_agg(json_build_object('id', l.run_id, 'at', extract(epoch from l.created_at) * 1000, 'delivery', l.delivery_state,
          'state', l.run_state, 'outcome', l.outcome, 'hasResult', l.has_result, 'tookMs', l.took_ms, 'machine', l.machine, 'waits', l.waits) order by l.id desc)
        from (
          select d.id, d.run_id, d.created_at, d.state as delivery_state, r.state as run_state, r.outcome,
            coalesce(r.result, '') <> '' as has_result,
            floor(extract(epoch from r.finished_at - r.started_at) * 1000) as took_ms,
            machine_state(m) as machine, exists (select from approvals p where p.run_id = r.id and p.state = 'open') as waits
          from events e join deliveries d on d.event_id = e.id join machines m on m.id = d.machine_id
            left join runs r on r.id = d.run_id
          where e.job_id = j.id order by e.id desc limit ${LAST_RUNS}
        ) l) as last_runs
    from jobs j join agents a on a.id = j.agent_id
    where j.organization_id = ${organizationId} and j.deleted_at is null
      ${only ? sql`and (j.id = ${only.idOrKey} or j.key = ${only.idOrKey})` : sql``}
    order by j.created_at`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    key: row.key,
    name: row.name,
    enabled: row.enabled,
    agent: { id: row.agent_id, key: row.agent_key, name: row.agent_name },
    prompt: row.prompt,
    workspace: row.workspace,
    limits: row.limits,
    rules: { ...DEFAULT_RULES, ...row.rules },
    approvals: row.approvals,
    budget: row.budget,
    retention: { runs: row.keep_runs, days: row.keep_days },
    triggers: (row.triggers ?? []).map((trigger) => toTriggerView(trigger, publicUrl)),
    lastRuns: (row.last_runs ?? []).map((run) => ({
      id: run.id,
      at: Math.round(Number(run.at)),
      tookMs: run.tookMs,
      status: statusWord(
        run.delivery,
        run.state && !isBetweenAttempts(run.delivery, run.state)
          ? { state: run.state, outcome: run.outcome, hasResult: run.hasResult }
          : null,
        run.machine,
        run.waits,
      ),
    })),
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  }))
}
