import type { EventId, GithubAppId, GithubVerdict, IgnoredReason, OrganizationId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { type TriggerTargetRow, triggerTargetColumns } from '../jobs/find-trigger-target.ts'

export type NewGithubEvent = {
  id: EventId
  organizationId: OrganizationId
  githubAppId: GithubAppId
  guid: string
  name: string
  action: string | null
  installationId: number | null
  repository: string | null
  bodyHash: string
  contentType: string | null
  headers: Record<string, string>
  body: Buffer
}

export type StoredGithubEvent = { eventId: EventId; inserted: boolean; bodyHash: string }

/**
 * Stores a delivery of GitHub once, whichever of its two keys is known: its id, which is not signed, or the hash of its
 * body, which is all that is. It stays `accepted` until the matcher has decided. Null: another request with the same
 * keys is being stored right now; ask again.
 */
export async function storeGithubEvent(db: Db, event: NewGithubEvent): Promise<StoredGithubEvent | null> {
  const scope = `github:${event.githubAppId}`
  const { rows } = await sql<{ event_id: EventId; inserted: boolean; body_hash: string }>`
    with known as materialized (
      select event_id, body_hash from github_arrivals
      where github_app_id = ${event.githubAppId} and guid = ${event.guid} and event_id is not null
    ),
    made as (
      insert into events (id, organization_id, source, state, dedup_scope, dedup_key, body_hash, content_type, headers, body)
      select ${event.id}, ${event.organizationId}, 'github', 'accepted', ${scope}, ${`body:${event.bodyHash}`},
        ${event.bodyHash}, ${event.contentType}::text, ${JSON.stringify(event.headers)}::text::jsonb,
        decode(${event.body.toString('hex')}::text, 'hex')
      where not exists (select from known)
      on conflict (dedup_scope, dedup_key) do nothing
      returning id
    ),
    answer as materialized (
      select event_id, false as inserted, body_hash from known
      union all select id, true, ${event.bodyHash} from made
      union all select e.id, false, e.body_hash from events e
        where e.dedup_scope = ${scope} and e.dedup_key = ${`body:${event.bodyHash}`} and not exists (select from known)
      limit 1
    ),
    details as (
      insert into github_events (event_id, organization_id, github_app_id, guid, name, action, installation_id, repository)
      select id, ${event.organizationId}, ${event.githubAppId}, ${event.guid}, ${event.name}, ${event.action}::text,
        ${event.installationId}::bigint, ${event.repository}::text from made
    ),
    arrived as (
      insert into github_arrivals (organization_id, github_app_id, guid, event_id, body_hash)
      select ${event.organizationId}, ${event.githubAppId}, ${event.guid}, event_id, body_hash from answer
      on conflict (github_app_id, guid) do nothing
    ),
    seen as (update github_apps set last_delivery_at = now() where id = ${event.githubAppId} and exists (select from answer))
    select event_id, inserted, body_hash from answer`.execute(db)
  const row = rows[0]
  return row ? { eventId: row.event_id, inserted: row.inserted, bodyHash: row.body_hash } : null
}

export type ClaimedGithubEvent = {
  event_id: EventId
  organization_id: OrganizationId
  github_app_id: GithubAppId
  name: string
  action: string | null
  tries: number
  content_type: string | null
  headers: Record<string, string>
  body: Buffer
  body_hash: string
  dedup_scope: string
  dedup_key: string
  received_at: Date
}

/** Takes events that are due into one relay's hand for `claimMs`; then another may take them. */
export async function claimGithubEvents(
  db: Db,
  options: { limit: number; claimMs: number },
): Promise<ClaimedGithubEvent[]> {
  const { rows } = await sql<ClaimedGithubEvent>`
    with due as materialized (
      select event_id from github_events where next_at <= now()
      order by next_at limit ${options.limit}::int for update skip locked
    ),
    taken as (
      update github_events g set tries = g.tries + 1, next_at = now() + ${options.claimMs}::int * interval '1 ms'
      where g.event_id = any(array(select event_id from due))
      returning g.*
    )
    select t.event_id, t.organization_id, t.github_app_id, t.name, t.action, t.tries, e.content_type, e.headers, e.body,
      e.body_hash, e.dedup_scope, e.dedup_key, e.received_at
    from taken t join events e on e.id = t.event_id order by e.id`.execute(db)
  return rows
}

/** The event fires nothing. Only the first decision counts. */
export async function ignoreGithubEvent(
  db: Db,
  id: EventId,
  decision: { reason: IgnoredReason; message: string; verdicts: GithubVerdict[] },
): Promise<void> {
  await sql`
    with settled as (
      update github_events set next_at = null, last_error = null, verdicts = ${JSON.stringify(decision.verdicts)}::text::jsonb
      where event_id = ${id}
    )
    update events set state = 'ignored', reason = ${decision.reason}, reason_message = ${decision.message}
    where id = ${id} and state = 'accepted'`.execute(db)
}

/** The event's deliveries are stored: nothing is left to do but to say how it was decided. */
export async function settleGithubEvent(db: Db, id: EventId, verdicts: GithubVerdict[]): Promise<void> {
  await sql`
    update github_events set next_at = null, last_error = null, verdicts = ${JSON.stringify(verdicts)}::text::jsonb
    where event_id = ${id}`.execute(db)
}

/** It could not be decided now; it is looked at again after `afterMs`. */
export async function postponeGithubEvent(
  db: Db,
  id: EventId,
  problem: { message: string; afterMs: number },
): Promise<void> {
  await sql`
    update github_events set last_error = ${problem.message},
      next_at = now() + ${Math.round(problem.afterMs)}::bigint * interval '1 ms'
    where event_id = ${id} and next_at is not null`.execute(db)
}

/** A trigger with its job and agent. */
export type GithubTriggerRow = TriggerTargetRow

/** Every GitHub trigger of an organization whose job is not deleted. */
export async function listGithubTriggers(
  db: Db,
  organizationId: OrganizationId,
): Promise<GithubTriggerRow[]> {
  const { rows } = await sql<GithubTriggerRow>`
    select ${triggerTargetColumns} from triggers t join jobs j on j.id = t.job_id join agents a on a.id = j.agent_id
    where t.organization_id = ${organizationId} and t.kind = 'github' and t.deleted_at is null and j.deleted_at is null
    order by t.id`.execute(db)
  return rows
}

export async function findGithubVerdicts(
  db: Db,
  organizationId: OrganizationId,
  id: EventId,
): Promise<{ verdicts: GithubVerdict[]; lastError: string | null; nextAt: number | null } | null> {
  const { rows } = await sql<{ verdicts: GithubVerdict[]; last_error: string | null; next_at: Date | null }>`
    select verdicts, last_error, next_at from github_events
    where event_id = ${id} and organization_id = ${organizationId}`.execute(db)
  const row = rows[0]
  return row
    ? { verdicts: row.verdicts, lastError: row.last_error, nextAt: row.next_at?.getTime() ?? null }
    : null
}
