import type {
  Id,
  MeView,
  OrganizationId,
  Role,
  TokenId,
  TokenScope,
  TokenView,
  UserId,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type Member = { userId: UserId; organizationId: OrganizationId; role: Role }
type MemberRow = { user_id: UserId; organization_id: OrganizationId; role: Role }

const toMember = (row: MemberRow | undefined): Member | null =>
  row ? { userId: row.user_id, organizationId: row.organization_id, role: row.role } : null

/** The member behind a browser session that has neither ended nor been revoked. */
export async function findMemberBySession(db: Db, secretHash: string): Promise<Member | null> {
  const { rows } = await sql<MemberRow>`
    select m.user_id, m.organization_id, m.role from user_sessions s
    join members m on m.user_id = s.user_id and m.organization_id = s.organization_id
    where s.secret_hash = ${secretHash} and s.revoked_at is null and s.expires_at > now()`.execute(db)
  return toMember(rows[0])
}

/** The member behind an API token. Notes its use at most once a minute. */
export async function findMemberByToken(
  db: Db,
  secretHash: string,
): Promise<(Member & { scopes: TokenScope[] }) | null> {
  const { rows } = await sql<MemberRow & { scopes: TokenScope[] }>`
    with found as (
      select t.id, t.scopes, m.user_id, m.organization_id, m.role, t.last_used_at from tokens t
      join members m on m.user_id = t.user_id and m.organization_id = t.organization_id
      where t.secret_hash = ${secretHash} and t.revoked_at is null
    ),
    used as (
      update tokens set last_used_at = now() from found
      where tokens.id = found.id and (found.last_used_at is null or found.last_used_at < now() - interval '1 minute')
    )
    select user_id, organization_id, role, scopes from found`.execute(db)
  const [row] = rows
  const member = toMember(row)
  return member && row ? { ...member, scopes: row.scopes } : null
}

export async function getMe(db: Db, member: Member): Promise<Omit<MeView, 'relayVersion' | 'scopes'>> {
  const row = await db
    .selectFrom('members as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .innerJoin('organizations as o', 'o.id', 'm.organization_id')
    .select([
      'u.id',
      'u.name',
      'u.email',
      'o.id as organization_id',
      'o.slug',
      'o.name as organization',
      'm.role',
    ])
    .where('m.user_id', '=', member.userId)
    .where('m.organization_id', '=', member.organizationId)
    .executeTakeFirstOrThrow()
  return {
    user: { id: row.id, name: row.name, email: row.email },
    organization: { id: row.organization_id, slug: row.slug, name: row.organization },
    role: row.role,
  }
}

export async function insertSignInLink(
  db: Db,
  member: Pick<Member, 'userId' | 'organizationId'>,
  link: { id: Id<'link'>; secretHash: string; lifetimeMs: number },
): Promise<Date> {
  const { rows } = await sql<{ expires_at: Date }>`
    insert into sign_in_links (id, organization_id, user_id, secret_hash, expires_at)
    values (${link.id}, ${member.organizationId}, ${member.userId}, ${link.secretHash},
      now() + ${link.lifetimeMs}::bigint * interval '1 ms')
    returning expires_at`.execute(db)
  return rows[0]?.expires_at ?? new Date(0)
}

/** Uses a sign-in link up and opens a browser session, both or neither. Null: unknown, used or too old. */
export async function redeemSignInLink(
  db: Db,
  link: { secretHash: string },
  session: { id: Id<'session'>; secretHash: string; lifetimeMs: number },
): Promise<Member | null> {
  const { rows } = await sql<MemberRow>`
    with used as (
      update sign_in_links set used_at = now()
      where secret_hash = ${link.secretHash} and used_at is null and expires_at > now()
      returning organization_id, user_id
    ),
    opened as (
      insert into user_sessions (id, organization_id, user_id, secret_hash, expires_at)
      select ${session.id}, organization_id, user_id, ${session.secretHash},
        now() + ${session.lifetimeMs}::bigint * interval '1 ms' from used
    )
    select m.user_id, m.organization_id, m.role from used
    join members m on m.user_id = used.user_id and m.organization_id = used.organization_id`.execute(db)
  return toMember(rows[0])
}

export async function revokeSession(db: Db, secretHash: string): Promise<void> {
  await sql`update user_sessions set revoked_at = now() where secret_hash = ${secretHash} and revoked_at is null`.execute(
    db,
  )
}

export async function insertToken(
  db: Db,
  member: Pick<Member, 'userId' | 'organizationId'>,
  token: { id: TokenId; name: string; secretHash: string; scopes: readonly TokenScope[] },
): Promise<TokenView> {
  const row = await db
    .insertInto('tokens')
    .values({
      id: token.id,
      organization_id: member.organizationId,
      user_id: member.userId,
      name: token.name,
      secret_hash: token.secretHash,
      scopes: [...token.scopes],
    })
    .returning(['id', 'name', 'scopes', 'created_at', 'last_used_at', 'revoked_at'])
    .executeTakeFirstOrThrow()
  return toTokenView(row)
}

export async function listTokens(db: Db, organizationId: OrganizationId): Promise<TokenView[]> {
  const rows = await db
    .selectFrom('tokens')
    .select(['id', 'name', 'scopes', 'created_at', 'last_used_at', 'revoked_at'])
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute()
  return rows.map(toTokenView)
}

/** The hash of the token that no longer counts; null: this organization has no such token. */
export async function revokeToken(
  db: Db,
  organizationId: OrganizationId,
  id: TokenId,
): Promise<string | null> {
  const { rows } = await sql<{ secret_hash: string }>`
    update tokens set revoked_at = coalesce(revoked_at, now())
    where id = ${id} and organization_id = ${organizationId} returning secret_hash`.execute(db)
  return rows[0]?.secret_hash ?? null
}

function toTokenView(row: {
  id: TokenId
  name: string
  scopes: TokenScope[]
  created_at: Date
  last_used_at: Date | null
  revoked_at: Date | null
}): TokenView {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    createdAt: row.created_at.getTime(),
    lastUsedAt: row.last_used_at?.getTime() ?? null,
    revokedAt: row.revoked_at?.getTime() ?? null,
  }
}
