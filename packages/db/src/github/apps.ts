import type { GithubAppId, GithubReconciliation, GithubSetupId, OrganizationId } from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'

/** An App as the relay works with it; its secrets are sealed with its id as context. */
export type GithubAppRow = {
  id: GithubAppId
  organization_id: OrganizationId
  app_id: number
  slug: string
  name: string
  api_url: string
  web_url: string
  html_url: string
  client_id: string | null
  sealed_private_key: string
  sealed_webhook_secret: string
  last_delivery_at: Date | null
  reconciliation: GithubReconciliation | null
  created_at: Date
}

export type NewGithubApp = {
  id: GithubAppId
  appId: number
  slug: string
  name: string
  apiUrl: string
  webUrl: string
  htmlUrl: string
  clientId: string | null
  sealedPrivateKey: string
  sealedWebhookSecret: string
  sealedClientSecret: string | null
}

const columns = sql`a.id, a.organization_id, a.app_id, a.slug, a.name, a.api_url, a.web_url, a.html_url, a.client_id,
  a.sealed_private_key, a.sealed_webhook_secret, a.last_delivery_at, a.reconciliation, a.created_at`

/** `from` gives the organization: a value alone, or a column of another table. */
const added = (app: NewGithubApp, organizationId: RawBuilder<unknown>, from: RawBuilder<unknown>) => sql`
  insert into github_apps (id, organization_id, app_id, slug, name, api_url, web_url, html_url, client_id,
    sealed_private_key, sealed_webhook_secret, sealed_client_secret)
  select ${app.id}, ${organizationId}, ${app.appId}::bigint, ${app.slug}, ${app.name}, ${app.apiUrl}, ${app.webUrl},
    ${app.htmlUrl}, ${app.clientId}::text, ${app.sealedPrivateKey}, ${app.sealedWebhookSecret},
    ${app.sealedClientSecret}::text ${from}`

/** Fails on the unique index `github_apps_app` when this App is connected already, here or in another organization. */
export async function insertGithubApp(
  db: Db,
  organizationId: OrganizationId,
  app: NewGithubApp,
): Promise<void> {
  await added(app, sql`${organizationId}`, sql``).execute(db)
}

/** Every App that is not removed, of all organizations: for the webhook, which knows the App by its signature only. */
export async function listGithubApps(
  db: Db,
  filter: { organizationId?: OrganizationId } = {},
): Promise<GithubAppRow[]> {
  const { rows } = await sql<GithubAppRow>`
    select ${columns} from github_apps a
    where a.removed_at is null ${filter.organizationId ? sql`and a.organization_id = ${filter.organizationId}` : sql``}
    order by a.id`.execute(db)
  return rows
}

/** False: this organization has no such App. Its events and what came of them stay. */
export async function removeGithubApp(
  db: Db,
  organizationId: OrganizationId,
  id: GithubAppId,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update github_apps set removed_at = now(), sealed_private_key = '', sealed_webhook_secret = '', sealed_client_secret = null
    where id = ${id} and organization_id = ${organizationId} and removed_at is null`.execute(db)
  return numAffectedRows === 1n
}

/** Deliveries of the last day, and those whose jobs are not decided yet. */
export async function countGithubDeliveries(
  db: Db,
  organizationId: OrganizationId,
): Promise<Map<GithubAppId, { day: number; waiting: number }>> {
  const { rows } = await sql<{ id: GithubAppId; day: number; waiting: number }>`
    select a.id, (select count(*) from github_arrivals x
        where x.github_app_id = a.id and x.arrived_at > now() - interval '1 day')::int as day,
      (select count(*) from github_events e where e.github_app_id = a.id and e.next_at is not null)::int as waiting
    from github_apps a where a.organization_id = ${organizationId} and a.removed_at is null`.execute(db)
  return new Map(rows.map((row) => [row.id, { day: row.day, waiting: row.waiting }]))
}

export type GithubSetup = {
  id: GithubSetupId
  organization_id: OrganizationId
  organization_name: string
  api_url: string
  web_url: string
  owner: string | null
  app_name: string
  app_id: GithubAppId | null
  expires_at: Date
}

export async function insertGithubSetup(
  db: Db,
  setup: {
    id: GithubSetupId
    organizationId: OrganizationId
    stateHash: string
    apiUrl: string
    webUrl: string
    owner: string | null
    appName: string
    lifeMs: number
  },
): Promise<{ expiresAt: number }> {
  const { rows } = await sql<{ expires_at: Date }>`
    insert into github_setups (id, organization_id, state_hash, api_url, web_url, owner, app_name, expires_at)
    values (${setup.id}, ${setup.organizationId}, ${setup.stateHash}, ${setup.apiUrl}, ${setup.webUrl}, ${setup.owner},
      ${setup.appName}, now() + ${setup.lifeMs}::bigint * interval '1 ms')
    returning expires_at`.execute(db)
  return { expiresAt: rows[0]?.expires_at.getTime() ?? 0 }
}

const setupColumns = sql`s.id, s.organization_id, o.name as organization_name, s.api_url, s.web_url, s.owner, s.app_name,
  s.app_id, s.expires_at`

/** A set-up that can still be finished. */
export async function findOpenGithubSetup(db: Db, stateHash: string): Promise<GithubSetup | null> {
  const { rows } = await sql<GithubSetup>`
    select ${setupColumns} from github_setups s join organizations o on o.id = s.organization_id
    where s.state_hash = ${stateHash} and s.app_id is null and s.expires_at > now()`.execute(db)
  return rows[0] ?? null
}

export async function findGithubSetup(
  db: Db,
  organizationId: OrganizationId,
  id: string,
): Promise<GithubSetup | null> {
  const { rows } = await sql<GithubSetup>`
    select ${setupColumns} from github_setups s join organizations o on o.id = s.organization_id
    where s.id = ${id} and s.organization_id = ${organizationId}`.execute(db)
  return rows[0] ?? null
}

/** The App and the end of its set-up in one. False: another answer of GitHub finished it first, or it expired. */
export async function finishGithubSetup(db: Db, stateHash: string, app: NewGithubApp): Promise<boolean> {
  const { rows } = await sql`
    with open as materialized (
      select id, organization_id from github_setups
      where state_hash = ${stateHash} and app_id is null and expires_at > now() for update
    ),
    made as (${added(app, sql`open.organization_id`, sql`from open`)}
      returning id
    )
    update github_setups set app_id = made.id from made where github_setups.id = (select id from open)
    returning github_setups.id`.execute(db)
  return rows.length === 1
}
