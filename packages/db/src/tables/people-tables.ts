import type { Id, OrganizationId, Role, TokenId, TokenScope, UserId } from '@baton/protocol'
import type { Generated } from 'kysely'
import type { Made } from './columns.ts'

/** People, and how they sign in. */
export type PeopleTables = {
  organizations: {
    id: OrganizationId
    slug: string
    name: string
    created_at: Made
    keep_runs: Generated<number>
    keep_days: Generated<number>
    import_digest: string | null
    imported_at: Date | null
  }
  users: { id: UserId; email: string | null; name: string; created_at: Made }
  members: { organization_id: OrganizationId; user_id: UserId; role: Role; created_at: Made }
  sign_in_links: {
    id: Id<'link'>
    organization_id: OrganizationId
    user_id: UserId
    secret_hash: string
    expires_at: Date
    used_at: Date | null
    created_at: Made
  }
  user_sessions: {
    id: Id<'session'>
    organization_id: OrganizationId
    user_id: UserId
    secret_hash: string
    expires_at: Date
    revoked_at: Date | null
    created_at: Made
  }
  tokens: {
    id: TokenId
    organization_id: OrganizationId
    user_id: UserId
    name: string
    secret_hash: string
    scopes: TokenScope[]
    last_used_at: Date | null
    revoked_at: Date | null
    created_at: Made
  }
  idempotency_keys: {
    organization_id: OrganizationId
    caller: string
    key: string
    request_hash: string
    claim: string
    claimed_at: Made
    answer: string | null
  }
}
