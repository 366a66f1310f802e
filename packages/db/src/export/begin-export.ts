import type { ExportStart, OrganizationId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** The moment for which an export stands, and what it will not have. */
export async function beginExport(db: Db, organizationId: OrganizationId): Promise<ExportStart> {
  const { rows } = await sql<{
    until: string
    slug: string
    name: string
    unfinished: number
    machine_keys: string[]
    webhook_secrets: { job: string; path: string; scheme: string }[]
    tokens: string[]
    members: { name: string; email: string | null; role: string }[]
    github_apps: { slug: string; webUrl: string; appId: number }[]
  }>`
    select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as until, o.slug, o.name,
      (select count(*) from deliveries d where d.organization_id = o.id and d.finished_at is null)::int as unfinished,
      coalesce((select json_agg(m.name order by m.id) from machines m where m.organization_id = o.id and m.archived_at is null
        and m.revoked_at is null), '[]') as machine_keys,
      coalesce((select json_agg(json_build_object('job', j.key, 'path', t.path, 'scheme', t.scheme) order by t.id)
        from triggers t join jobs j on j.id = t.job_id
        where t.organization_id = o.id and t.kind = 'webhook' and t.deleted_at is null and j.deleted_at is null), '[]')
        as webhook_secrets,
      coalesce((select json_agg(t.name order by t.id) from tokens t where t.organization_id = o.id and t.revoked_at is null),
        '[]') as tokens,
      coalesce((select json_agg(json_build_object('name', u.name, 'email', u.email, 'role', m.role) order by u.id)
        from members m join users u on u.id = m.user_id where m.organization_id = o.id), '[]') as members,
      coalesce((select json_agg(json_build_object('slug', a.slug, 'webUrl', a.web_url, 'appId', a.app_id) order by a.id)
        from github_apps a where a.organization_id = o.id and a.removed_at is null), '[]') as github_apps
    from organizations o where o.id = ${organizationId}`.execute(db)
  const row = rows[0]
  if (!row) throw new Error('The organization went away while it was read.')
  return {
    organization: { slug: row.slug, name: row.name },
    until: row.until,
    unfinished: row.unfinished,
    makeAnew: {
      machineKeys: row.machine_keys,
      webhookSecrets: row.webhook_secrets,
      tokens: row.tokens,
      members: row.members,
      githubApps: row.github_apps,
    },
  }
}
