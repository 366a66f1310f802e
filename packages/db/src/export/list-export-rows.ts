import type { OrganizationId, RowKind, RunId } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'

export type ExportFilter = {
  /** What had finished by then; as the database wrote it, to the microsecond. */
  until: string
  after: string | null
  limit: number
  /** About this much text in a page, and at least one row. */
  maxBytes: number
}

const stamp = (column: string) =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** An instant that came as text. Cast from text here, because the driver would read it as a Date and lose microseconds. */
export const instant = (text: string) => sql`${text}::text::timestamptz`

/** A page of rows of one kind in the order of their ids, as `exportRows` has them. No secret is ever selected. */
export async function listExportRows(
  db: Db,
  organizationId: OrganizationId,
  kind: RowKind,
  filter: ExportFilter,
): Promise<{ rows: object[]; next: string | null }> {
  const { rows } = await queries[kind](organizationId, filter).execute(db)
  const last = rows.at(-1) as { id?: string } | undefined
  // A page may be short because of its bytes, so only an empty one is the last.
  const next = kind === 'organization' || rows.length === 0 ? null : (last?.id ?? null)
  return { rows: kind === 'events' ? rows.map(withBody) : rows, next }
}

const withBody = (row: object) => {
  const { body, ...rest } = row as { body: Buffer; receivedAt: string }
  const { receivedAt, ...before } = rest
  return { ...before, body: body.toString('base64'), receivedAt }
}

/** Whole or not at all: an event with everything that came of it, once all of that had ended. */
const exportable = (organizationId: OrganizationId, until: string) => sql`
  e.organization_id = ${organizationId} and e.received_at <= ${instant(until)}
  and not exists (
    select from deliveries o where o.event_id = e.id and (o.finished_at is null or o.finished_at > ${instant(until)}
      or exists (select from runs u where u.delivery_id = o.id and u.state in ('starting', 'running'))))`

/** Ids of rows that have none: the agent's, then the MD5 of the rest of their key. `x` is the row. */
export const rowOfAgent = {
  skills: sql`x.agent_id || ':' || md5(x.name)`,
  sessions: sql`x.agent_id || ':' || md5(x.conversation)`,
  usage: sql`x.agent_id || ':' || md5(json_build_array(x.day, x.machine_id, x.job_id, x.model)::text)`,
}

/** Of agents that are in the export as well. */
const ofAgents = (x: string, organizationId: OrganizationId, { until }: ExportFilter) => sql`
  ${sql.ref(`${x}.organization_id`)} = ${organizationId} and exists (
    select from agents a where a.id = ${sql.ref(`${x}.agent_id`)} and a.created_at <= ${instant(until)})`

type Query = (organizationId: OrganizationId, filter: ExportFilter) => RawBuilder<object>

const after = (column: string, { after }: ExportFilter) =>
  after === null ? sql`` : sql`and ${sql.ref(column)} > ${after}`

const plainPage = ({ limit }: ExportFilter) => sql`order by id limit ${limit}::int`

/** Cuts a page where it grows past its bytes; `size` is a column of the rows that is not given out. */
const bounded = (
  columns: RawBuilder<unknown>,
  page: RawBuilder<unknown>,
  { limit, maxBytes }: ExportFilter,
) => sql<object>`
  select ${columns} from (
    select p.*, sum(p.size) over (order by p.id) - p.size as before from (${page} order by id limit ${limit}::int) p
  ) p where before < ${maxBytes}::bigint order by id`

const queries: Record<RowKind, Query> = {
  organization: (organizationId) => sql`
    select name, json_build_object('runs', keep_runs, 'days', keep_days) as retention
    from organizations where id = ${organizationId}`,

  machines: (organizationId, filter) => sql`
    select id, name, hostname, os, arch, runner_version as "runnerVersion", slots, runtimes,
      ${stamp('revoked_at')} as "revokedAt", ${stamp('archived_at')} as "archivedAt", ${stamp('created_at')} as "createdAt"
    from machines where organization_id = ${organizationId} and created_at <= ${instant(filter.until)} ${after('id', filter)}
    ${plainPage(filter)}`,

  agents: (organizationId, filter) => sql`
    select id, machine_id as "machineId", key, name, runtime, command, instructions, model,
      permission_mode as "permissionMode", workspace, max_concurrent as "maxConcurrent", per_hour as "perHour", approvals, isolation, budget,
      ${stamp('paused_at')} as "pausedAt", ${stamp('archived_at')} as "archivedAt", ${stamp('created_at')} as "createdAt"
    from agents where organization_id = ${organizationId} and created_at <= ${instant(filter.until)} ${after('id', filter)}
    ${plainPage(filter)}`,

  skills: (organizationId, filter) =>
    bounded(
      sql`id, "agentId", name, description, text, hash, "updatedAt"`,
      sql`
        select s.* from (
          select ${rowOfAgent.skills} as id, x.agent_id as "agentId", x.name, x.description, x.text, x.hash,
            ${stamp('x.updated_at')} as "updatedAt", octet_length(x.text) + octet_length(x.description) + 500 as size
          from agent_skills x where ${ofAgents('x', organizationId, filter)}) s
        where true ${after('s.id', filter)}`,
      filter,
    ),

  sessions: (organizationId, filter) => sql`
    select * from (
      select ${rowOfAgent.sessions} as id, x.agent_id as "agentId", x.conversation, x.runtime, x.machine_id as "machineId",
        x.session_id as "sessionId", x.cwd, ${stamp('x.updated_at')} as "updatedAt"
      from agent_sessions x where ${ofAgents('x', organizationId, filter)}) s
    where true ${after('id', filter)} ${plainPage(filter)}`,

  usage: (organizationId, filter) => sql`
    select * from (
      select ${rowOfAgent.usage} as id, x.agent_id as "agentId", x.day::text as day, x.machine_id as "machineId",
        x.job_id as "jobId", x.model, x.runs::float8 as runs, x.priced_runs::float8 as "pricedRuns",
        x.input_tokens::float8 as "inputTokens", x.output_tokens::float8 as "outputTokens",
        x.cached_tokens::float8 as "cachedTokens", x.cost_usd as "costUsd"
      from usage_days x left join jobs j on j.id = x.job_id
      where ${ofAgents('x', organizationId, filter)} and (j.id is null or j.created_at <= ${instant(filter.until)})) s
    where true ${after('id', filter)} ${plainPage(filter)}`,

  jobs: (organizationId, filter) => sql`
    select id, agent_id as "agentId", key, name, prompt, workspace, limits, rules, approvals, budget,
      json_build_object('runs', keep_runs, 'days', keep_days) as retention, ${stamp('disabled_at')} as "disabledAt",
      ${stamp('deleted_at')} as "deletedAt", ${stamp('created_at')} as "createdAt", ${stamp('updated_at')} as "updatedAt"
    from jobs where organization_id = ${organizationId} and created_at <= ${instant(filter.until)} ${after('id', filter)}
    ${plainPage(filter)}`,

  triggers: (organizationId, filter) => sql`
    select id, job_id as "jobId", kind, path, scheme, config, ${stamp('paused_at')} as "pausedAt", ${stamp('deleted_at')} as "deletedAt",
      ${stamp('created_at')} as "createdAt"
    from triggers where organization_id = ${organizationId} and created_at <= ${instant(filter.until)} ${after('id', filter)}
    ${plainPage(filter)}`,

  outputs: (organizationId, filter) => sql`
    select id, job_id as "jobId", kind, moment, config, message, ${stamp('disabled_at')} as "disabledAt",
      disabled_reason as "disabledReason", ${stamp('deleted_at')} as "deletedAt", ${stamp('created_at')} as "createdAt"
    from outputs where organization_id = ${organizationId} and created_at <= ${instant(filter.until)} ${after('id', filter)}
    ${plainPage(filter)}`,

  events: (organizationId, filter) =>
    bounded(
      sql`id, "jobId", "triggerId", source, state, reason, "reasonMessage", verification, cause, hops, "coalescedInto", "dedupScope",
        "dedupKey", "bodyHash", "contentType", headers, body, "receivedAt"`,
      sql`
        select e.id, e.job_id as "jobId", e.trigger_id as "triggerId", e.source, e.state, e.reason,
          e.reason_message as "reasonMessage", e.verification, e.cause, e.hops, e.coalesced_into as "coalescedInto",
          case when e.dedup_scope = e.trigger_id then e.dedup_scope
            when strpos(e.dedup_scope, ${organizationId}) > 0 then replace(e.dedup_scope, ${organizationId}, '@')
            else e.dedup_scope || ':@' end as "dedupScope",
          e.dedup_key as "dedupKey", e.body_hash as "bodyHash", e.content_type as "contentType", e.headers, e.body,
          ${stamp('e.received_at')} as "receivedAt", octet_length(e.body) + 500 as size
        from events e where ${exportable(organizationId, filter.until)} ${after('e.id', filter)}`,
      filter,
    ),

  deliveries: (organizationId, filter) =>
    bounded(
      sql`id, "eventId", "jobId", "agentId", "machineId", state, reason, "reasonMessage", "runId", attempt, "maxAttempts",
        repeatable, priority, workspace, prompt, limits, trust, conversation, "expiresAt", "leasedAt", "acceptedAt", "cancelRequestedAt",
        "cancelReason", "finishKey", "createdAt", "stateSince", "finishedAt"`,
      sql`
        select d.id, d.event_id as "eventId", d.job_id as "jobId", d.agent_id as "agentId", d.machine_id as "machineId",
          d.state, d.reason, d.reason_message as "reasonMessage", d.run_id as "runId", d.attempt,
          d.max_attempts as "maxAttempts", d.repeatable, d.priority, d.workspace, d.prompt, d.limits, d.trust, d.conversation,
          ${stamp('d.expires_at')} as "expiresAt", ${stamp('d.leased_at')} as "leasedAt",
          ${stamp('d.accepted_at')} as "acceptedAt", ${stamp('d.cancel_requested_at')} as "cancelRequestedAt",
          d.cancel_reason as "cancelReason", d.finish_key as "finishKey", ${stamp('d.created_at')} as "createdAt",
          ${stamp('d.state_since')} as "stateSince", ${stamp('d.finished_at')} as "finishedAt",
          octet_length(d.prompt) + 800 as size
        from deliveries d join events e on e.id = d.event_id
        where d.organization_id = ${organizationId} and ${exportable(organizationId, filter.until)} ${after('d.id', filter)}`,
      filter,
    ),

  runs: (organizationId, filter) =>
    bounded(
      sql`id, "deliveryId", "machineId", "agentId", "jobId", attempt, state, outcome, "errorKind", message, "exitCode", signal,
        "sessionId", workspace, result, usage, "killProof", changes, diff, spawn, "lastSeq", "lastHash", "finalSeq", "finalHash", "finishKey",
        "leasedAt", "acceptedAt", "startedAt", "firstOutputAt", "consumedAt", "finishedAt"`,
      sql`
        select r.id, r.delivery_id as "deliveryId", r.machine_id as "machineId", r.agent_id as "agentId", r.job_id as "jobId",
          r.attempt, r.state, r.outcome, r.error_kind as "errorKind", r.message, r.exit_code as "exitCode", r.signal,
          r.session_id as "sessionId", r.workspace, r.result, r.usage, r.kill_proof as "killProof", r.changes, r.diff, r.spawn, r.last_seq as "lastSeq",
          r.last_hash as "lastHash", r.final_seq as "finalSeq", r.final_hash as "finalHash", r.finish_key as "finishKey",
          ${stamp('r.leased_at')} as "leasedAt", ${stamp('r.accepted_at')} as "acceptedAt",
          ${stamp('r.started_at')} as "startedAt", ${stamp('r.first_output_at')} as "firstOutputAt",
          ${stamp('r.consumed_at')} as "consumedAt", ${stamp('r.finished_at')} as "finishedAt",
          coalesce(octet_length(r.result), 0) + coalesce(octet_length(r.diff), 0)
            + coalesce(pg_column_size(r.changes), 0) * 4 + 1000 as size
        from runs r join deliveries d on d.id = r.delivery_id join events e on e.id = d.event_id
        where r.organization_id = ${organizationId} and ${exportable(organizationId, filter.until)} ${after('r.id', filter)}`,
      filter,
    ),

  // What people said to a run is in its transcript; their user ids mean nothing elsewhere, so the name goes along.
  approvals: (organizationId, filter) =>
    bounded(
      sql`id, "runId", "deliveryId", ask, tool, summary, input, "inputCut", cwd, "actionHash", state, "askedAt", "expiresAt",
        scope, pattern, message, "answeredName", "answeredVia", "answeredAt"`,
      sql`
        select p.id, p.run_id as "runId", p.delivery_id as "deliveryId", p.ask, p.tool, p.summary, p.input,
          p.input_cut as "inputCut", p.cwd, p.action_hash as "actionHash", p.state, ${stamp('p.asked_at')} as "askedAt",
          ${stamp('p.expires_at')} as "expiresAt", p.scope, p.pattern, p.message,
          coalesce(u.name, p.answered_name) as "answeredName", p.answered_via as "answeredVia",
          ${stamp('p.answered_at')} as "answeredAt", pg_column_size(p.input) * 2 + octet_length(p.summary) + 500 as size
        from approvals p join deliveries d on d.id = p.delivery_id join events e on e.id = d.event_id
          left join users u on u.id = p.answered_by
        where p.organization_id = ${organizationId} and p.state <> 'open' and ${exportable(organizationId, filter.until)}
          ${after('p.id', filter)}`,
      filter,
    ),

  dispatches: (organizationId, filter) =>
    bounded(
      sql`id, "outputId", "jobId", "eventId", "deliveryId", "runId", kind, key, state, tries, "lastError", cause,
        "maybeRepeated", attempts, "externalId", url, content, "createdAt", "firstTriedAt", "sentAt", "finishedAt"`,
      sql`
        select o.id, o.output_id as "outputId", o.job_id as "jobId", o.event_id as "eventId", o.delivery_id as "deliveryId",
          o.run_id as "runId", o.kind, o.key, o.state, o.tries, o.last_error as "lastError", o.cause,
          o.maybe_repeated as "maybeRepeated", o.attempts, o.external_id as "externalId", o.url, o.content,
          ${stamp('o.created_at')} as "createdAt", ${stamp('o.first_tried_at')} as "firstTriedAt",
          ${stamp('o.sent_at')} as "sentAt", ${stamp('o.finished_at')} as "finishedAt",
          coalesce(octet_length(o.content), 0) + pg_column_size(o.attempts) * 2 + 500 as size
        from dispatches o join deliveries d on d.id = o.delivery_id join events e on e.id = d.event_id
        where o.organization_id = ${organizationId} and o.finished_at <= ${instant(filter.until)}
          and ${exportable(organizationId, filter.until)} ${after('o.id', filter)}`,
      filter,
    ),
}

export type ExportedRunEvent = { run: RunId; seq: number; text: string }

/** How many runs one page of transcripts looks at. */
const RUNS = 50

/**
 * A page of run events in the order of run and number, after `run:seq` (or after the whole of a run: `run`). `next` moves
 * on also over runs without events, and is null after the last.
 */
export async function listExportTranscripts(
  db: Db,
  organizationId: OrganizationId,
  filter: ExportFilter,
): Promise<{ rows: ExportedRunEvent[]; next: string | null }> {
  const [afterRun = '', afterSeq] = (filter.after ?? '').split(':')
  const isWithin = afterSeq !== undefined
  const { rows: runs } = await sql<{ id: RunId }>`
    select r.id from runs r join deliveries d on d.id = r.delivery_id join events e on e.id = d.event_id
    where r.organization_id = ${organizationId} and ${exportable(organizationId, filter.until)}
      and r.id ${isWithin ? sql`>=` : sql`>`} ${afterRun}
    order by r.id limit ${RUNS}`.execute(db)
  const last = runs.at(-1)
  if (!last) return { rows: [], next: null }
  const { rows } = await sql<ExportedRunEvent>`
    select run_id as run, seq, body as text from (
      select run_id, seq, body, sum(octet_length(body)) over (order by run_id, seq) - octet_length(body) as before from (
        select run_id, seq, body from run_events
        where organization_id = ${organizationId} and run_id = any(${runs.map((run) => run.id)}::text[])
          and (run_id, seq) > (${afterRun}, ${isWithin ? Number(afterSeq) : 0}::bigint)
        order by run_id, seq limit ${filter.limit}::int
      ) page
    ) sized where before < ${filter.maxBytes}::bigint order by run_id, seq`.execute(db)
  const end = rows.at(-1)
  return { rows, next: end ? `${end.run}:${end.seq}` : last.id }
}
