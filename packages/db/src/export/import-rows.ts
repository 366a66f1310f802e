import type { OrganizationId, RowKind } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'
import { rowOfAgent } from './list-export-rows.ts'

/**
 * Stores rows of an export in an organization whose import is under way. What is there already stays as it is, so the
 * same batch again changes nothing. Whatever a row refers to must belong to this organization. Answers the ids that are
 * not here afterwards: taken by somebody else, or referring to what is not here. Keys and secrets begin as none.
 */
export async function importRows(
  db: Db,
  organizationId: OrganizationId,
  kind: Exclude<RowKind, 'organization'>,
  rows: readonly { id: string }[],
): Promise<string[]> {
  const { rows: answer } = await sql<{ inserted: string[] | null }>`
    with inserted as (
      ${inserts[kind](organizationId, JSON.stringify(rows))}
      on conflict do nothing returning ${idOf(kind)} as id
    )
    select array_agg(id) as inserted from inserted`.execute(db)
  const inserted = new Set(answer[0]?.inserted ?? [])
  const rest = rows.map((row) => row.id).filter((id) => !inserted.has(id))
  if (rest.length === 0) return []
  const { rows: known } = await sql<{ id: string }>`
    select ${idOf(kind)} as id from ${sql.table(TABLES[kind] ?? kind)} x
    where organization_id = ${organizationId} and ${idOf(kind)} = any(${rest}::text[])`.execute(db)
  const here = new Set(known.map((row) => row.id))
  return rest.filter((id) => !here.has(id))
}

/** Kinds whose table has another name, and no column `id`. */
const TABLES: Partial<Record<RowKind, string>> = {
  skills: 'agent_skills',
  sessions: 'agent_sessions',
  usage: 'usage_days',
}

const idOf = (kind: RowKind) => (kind in rowOfAgent ? rowOfAgent[kind as keyof typeof rowOfAgent] : sql`id`)

type Insert = (organizationId: OrganizationId, json: string) => RawBuilder<unknown>

const from = (json: string, columns: string) =>
  sql`json_to_recordset(${json}::text::json) as x (${sql.raw(columns)})`

/** A reference that may be absent must otherwise be one of this organization's rows. */
const owned = (organizationId: OrganizationId, table: string, column: string) => sql`
  (${sql.ref(`x.${column}`)} is null or exists (
    select from ${sql.table(table)} o where o.id = ${sql.ref(`x.${column}`)} and o.organization_id = ${organizationId}))`

const inserts: Record<Exclude<RowKind, 'organization'>, Insert> = {
  machines: (organizationId, json) => sql`
    insert into machines (id, organization_id, name, key_hash, hostname, os, arch, runner_version, slots, runtimes, revoked_at,
      archived_at, created_at)
    select x.id, ${organizationId}, x.name, 'none:' || x.id, x.hostname, x.os, x.arch, x."runnerVersion", x.slots, x.runtimes,
      x."revokedAt", x."archivedAt", x."createdAt"
    from ${from(json, 'id text, name text, hostname text, os text, arch text, "runnerVersion" text, slots int, runtimes jsonb, "revokedAt" timestamptz, "archivedAt" timestamptz, "createdAt" timestamptz')}`,

  agents: (organizationId, json) => sql`
    insert into agents (id, organization_id, machine_id, key, name, runtime, command, instructions, model, permission_mode,
      workspace, max_concurrent, per_hour, approvals, isolation, budget, paused_at, archived_at, created_at)
    select x.id, ${organizationId}, x."machineId", x.key, x.name, x.runtime, x.command, x.instructions, x.model,
      x."permissionMode", x.workspace, x."maxConcurrent", x."perHour", coalesce(x.approvals, '{}'),
      coalesce(x.isolation, '{"kind": "host"}'), nullif(x.budget, 'null'), x."pausedAt", x."archivedAt", x."createdAt"
    from ${from(json, 'id text, "machineId" text, key text, name text, runtime text, command text, instructions text, model text, "permissionMode" text, workspace text, "maxConcurrent" int, "perHour" int, approvals jsonb, isolation jsonb, budget jsonb, "pausedAt" timestamptz, "archivedAt" timestamptz, "createdAt" timestamptz')}
    where ${owned(organizationId, 'machines', 'machineId')}`,

  skills: (organizationId, json) => sql`
    insert into agent_skills as x (organization_id, agent_id, name, description, text, hash, updated_at)
    select ${organizationId}, x."agentId", x.name, x.description, x.text, x.hash, x."updatedAt"
    from ${from(json, '"agentId" text, name text, description text, text text, hash text, "updatedAt" timestamptz')}
    where ${owned(organizationId, 'agents', 'agentId')}`,

  sessions: (organizationId, json) => sql`
    insert into agent_sessions as x (organization_id, agent_id, conversation, runtime, machine_id, session_id, cwd, updated_at)
    select ${organizationId}, x."agentId", x.conversation, x.runtime, x."machineId", x."sessionId", x.cwd, x."updatedAt"
    from ${from(json, '"agentId" text, conversation text, runtime text, "machineId" text, "sessionId" text, cwd text, "updatedAt" timestamptz')}
    where ${owned(organizationId, 'agents', 'agentId')} and ${owned(organizationId, 'machines', 'machineId')}`,

  usage: (organizationId, json) => sql`
    insert into usage_days as x (organization_id, day, agent_id, machine_id, job_id, model, runs, priced_runs, input_tokens,
      output_tokens, cached_tokens, cost_usd)
    select ${organizationId}, x.day, x."agentId", x."machineId", x."jobId", x.model, x.runs, x."pricedRuns", x."inputTokens",
      x."outputTokens", x."cachedTokens", x."costUsd"
    from ${from(json, 'day date, "agentId" text, "machineId" text, "jobId" text, model text, runs bigint, "pricedRuns" bigint, "inputTokens" bigint, "outputTokens" bigint, "cachedTokens" bigint, "costUsd" float8')}
    where ${owned(organizationId, 'agents', 'agentId')} and ${owned(organizationId, 'machines', 'machineId')}
      and ${owned(organizationId, 'jobs', 'jobId')}`,

  jobs: (organizationId, json) => sql`
    insert into jobs (id, organization_id, agent_id, key, name, prompt, workspace, limits, rules, approvals, budget, keep_runs, keep_days,
      disabled_at, deleted_at, created_at, updated_at)
    select x.id, ${organizationId}, x."agentId", x.key, x.name, x.prompt, x.workspace, x.limits, x.rules, coalesce(x.approvals, '{}'), nullif(x.budget, 'null'),
      (x.retention ->> 'runs')::int, (x.retention ->> 'days')::int, x."disabledAt", x."deletedAt", x."createdAt", x."updatedAt"
    from ${from(json, 'id text, "agentId" text, key text, name text, prompt text, workspace text, limits jsonb, rules jsonb, approvals jsonb, budget jsonb, retention jsonb, "disabledAt" timestamptz, "deletedAt" timestamptz, "createdAt" timestamptz, "updatedAt" timestamptz')}
    where ${owned(organizationId, 'agents', 'agentId')}`,

  triggers: (organizationId, json) => sql`
    insert into triggers (id, organization_id, job_id, kind, path, scheme, secrets, config, paused_at, deleted_at, created_at)
    select x.id, ${organizationId}, x."jobId", x.kind, x.path, x.scheme, '{}', coalesce(x.config, '{}'), x."pausedAt",
      x."deletedAt", x."createdAt"
    from ${from(json, 'id text, "jobId" text, kind text, path text, scheme text, config jsonb, "pausedAt" timestamptz, "deletedAt" timestamptz, "createdAt" timestamptz')}
    where ${owned(organizationId, 'jobs', 'jobId')}`,

  // One that has lost its secrets would fail at every dispatch, so it begins switched off and says why.
  outputs: (organizationId, json) => sql`
    insert into outputs (id, organization_id, job_id, kind, moment, config, message, disabled_at, disabled_reason, deleted_at,
      created_at)
    select x.id, ${organizationId}, x."jobId", x.kind, x.moment, x.config, x.message,
      case when strpos(x.config::text, '"***"') > 0 then coalesce(x."disabledAt", now()) else x."disabledAt" end,
      case when strpos(x.config::text, '"***"') > 0 then 'It was imported without its secrets. Enter them again.'
        else x."disabledReason" end, x."deletedAt", x."createdAt"
    from ${from(json, 'id text, "jobId" text, kind text, moment text, config jsonb, message jsonb, "disabledAt" timestamptz, "disabledReason" text, "deletedAt" timestamptz, "createdAt" timestamptz')}
    where ${owned(organizationId, 'jobs', 'jobId')}`,

  events: (organizationId, json) => sql`
    insert into events (id, organization_id, job_id, trigger_id, source, state, reason, reason_message, verification, cause,
      hops, coalesced_into, dedup_scope, dedup_key, body_hash,
      content_type, headers, body, received_at)
    select x.id, ${organizationId}, x."jobId", x."triggerId", x.source, x.state, x.reason, x."reasonMessage",
      nullif(x.verification, 'null'), x.cause, coalesce(x.hops, 0), x."coalescedInto",
      replace(x."dedupScope", '@', ${organizationId}), x."dedupKey", x."bodyHash", x."contentType", x.headers,
      decode(x.body, 'base64'), x."receivedAt"
    from ${from(json, 'id text, "jobId" text, "triggerId" text, source text, state text, reason text, "reasonMessage" text, verification jsonb, cause text, hops int, "coalescedInto" text, "dedupScope" text, "dedupKey" text, "bodyHash" text, "contentType" text, headers jsonb, body text, "receivedAt" timestamptz')}
    where ${owned(organizationId, 'jobs', 'jobId')} and ${owned(organizationId, 'triggers', 'triggerId')}
      and (x."dedupScope" = x."triggerId" or strpos(x."dedupScope", '@') > 0)`,

  deliveries: (organizationId, json) => sql`
    insert into deliveries (id, organization_id, event_id, job_id, agent_id, machine_id, state, reason, reason_message, run_id,
      attempt, max_attempts, repeatable, priority, workspace, prompt, limits, trust, conversation, expires_at, leased_at, accepted_at,
      cancel_requested_at, cancel_reason, finish_key, created_at, state_since, finished_at)
    select x.id, ${organizationId}, x."eventId", x."jobId", x."agentId", x."machineId", x.state, x.reason, x."reasonMessage",
      x."runId", x.attempt, x."maxAttempts", x.repeatable, x.priority, x.workspace, x.prompt, x.limits, coalesce(x.trust, 'member'), x.conversation, x."expiresAt",
      x."leasedAt", x."acceptedAt", x."cancelRequestedAt", x."cancelReason", x."finishKey", x."createdAt", x."stateSince",
      x."finishedAt"
    from ${from(json, 'id text, "eventId" text, "jobId" text, "agentId" text, "machineId" text, state text, reason text, "reasonMessage" text, "runId" text, attempt int, "maxAttempts" int, repeatable boolean, priority int, workspace text, prompt text, limits jsonb, trust text, conversation text, "expiresAt" timestamptz, "leasedAt" timestamptz, "acceptedAt" timestamptz, "cancelRequestedAt" timestamptz, "cancelReason" text, "finishKey" text, "createdAt" timestamptz, "stateSince" timestamptz, "finishedAt" timestamptz')}
    where ${owned(organizationId, 'events', 'eventId')} and ${owned(organizationId, 'jobs', 'jobId')}
      and ${owned(organizationId, 'agents', 'agentId')} and ${owned(organizationId, 'machines', 'machineId')}`,

  // The transcript comes afterwards, event by event, and is counted and hashed here as it comes.
  runs: (organizationId, json) => sql`
    insert into runs (id, organization_id, delivery_id, machine_id, agent_id, job_id, attempt, fence, state, outcome, error_kind,
      message, exit_code, signal, session_id, workspace, result, usage, kill_proof, changes, diff, spawn, last_seq, last_hash, final_seq, final_hash,
      finish_key, leased_at, accepted_at, started_at, first_output_at, consumed_at, finished_at)
    select x.id, ${organizationId}, x."deliveryId", x."machineId", x."agentId", x."jobId", x.attempt, 0, x.state, x.outcome,
      x."errorKind", x.message, x."exitCode", x.signal, x."sessionId", x.workspace, x.result,
      nullif(x.usage, 'null'), nullif(x."killProof", 'null'), nullif(x.changes, 'null'), x.diff, nullif(x.spawn, 'null'), 0, encode(sha256(convert_to(x.id, 'UTF8')), 'hex'),
      x."finalSeq", x."finalHash", x."finishKey", x."leasedAt", x."acceptedAt", x."startedAt", x."firstOutputAt",
      x."consumedAt", x."finishedAt"
    from ${from(json, 'id text, "deliveryId" text, "machineId" text, "agentId" text, "jobId" text, attempt int, state text, outcome text, "errorKind" text, message text, "exitCode" int, signal text, "sessionId" text, workspace text, result text, usage jsonb, "killProof" jsonb, changes jsonb, diff text, spawn jsonb, "finalSeq" bigint, "finalHash" text, "finishKey" text, "leasedAt" timestamptz, "acceptedAt" timestamptz, "startedAt" timestamptz, "firstOutputAt" timestamptz, "consumedAt" timestamptz, "finishedAt" timestamptz')}
    where ${owned(organizationId, 'deliveries', 'deliveryId')} and ${owned(organizationId, 'jobs', 'jobId')}
      and ${owned(organizationId, 'agents', 'agentId')} and ${owned(organizationId, 'machines', 'machineId')}`,

  approvals: (organizationId, json) => sql`
    insert into approvals (id, organization_id, run_id, delivery_id, fence, ask, tool, summary, input, input_cut, cwd, action_hash,
      state, asked_at, expires_at, scope, pattern, message, answered_name, answered_via, answered_at)
    select x.id, ${organizationId}, x."runId", x."deliveryId", 0, x.ask, x.tool, x.summary, coalesce(x.input, 'null'), x."inputCut",
      x.cwd, x."actionHash", x.state, x."askedAt", x."expiresAt", x.scope, x.pattern, x.message, x."answeredName",
      x."answeredVia", x."answeredAt"
    from ${from(json, 'id text, "runId" text, "deliveryId" text, ask text, tool text, summary text, input jsonb, "inputCut" boolean, cwd text, "actionHash" text, state text, "askedAt" timestamptz, "expiresAt" timestamptz, scope text, pattern text, message text, "answeredName" text, "answeredVia" text, "answeredAt" timestamptz')}
    where ${owned(organizationId, 'runs', 'runId')} and ${owned(organizationId, 'deliveries', 'deliveryId')}`,

  dispatches: (organizationId, json) => sql`
    insert into dispatches (id, organization_id, output_id, job_id, event_id, delivery_id, run_id, kind, key, state, tries,
      last_error, cause, maybe_repeated, attempts, external_id, url, content, created_at, first_tried_at, sent_at, finished_at)
    select x.id, ${organizationId}, x."outputId", x."jobId", x."eventId", x."deliveryId", x."runId", x.kind, x.key, x.state,
      x.tries, x."lastError", x.cause, x."maybeRepeated", x.attempts, x."externalId", x.url, x.content, x."createdAt",
      x."firstTriedAt", x."sentAt", x."finishedAt"
    from ${from(json, 'id text, "outputId" text, "jobId" text, "eventId" text, "deliveryId" text, "runId" text, kind text, key text, state text, tries int, "lastError" text, cause text, "maybeRepeated" boolean, attempts jsonb, "externalId" text, url text, content text, "createdAt" timestamptz, "firstTriedAt" timestamptz, "sentAt" timestamptz, "finishedAt" timestamptz')}
    where ${owned(organizationId, 'deliveries', 'deliveryId')} and ${owned(organizationId, 'outputs', 'outputId')}
      and ${owned(organizationId, 'jobs', 'jobId')} and ${owned(organizationId, 'events', 'eventId')}`,
}
