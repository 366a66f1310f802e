import type { ErrorCode, MachineId, OrganizationId, Role, TokenScope, UserId } from '@baton/protocol'

/** The hash of the session cookie or the API token that a person used; sockets end when it is revoked. */
export type Credential = { kind: 'session' | 'token'; hash: string }

/** Who makes a call. `nobody` says why, so that the answer can. */
export type Principal =
  | {
      kind: 'user'
      userId: UserId
      organizationId: OrganizationId
      role: Role
      /** What the token may do; a browser's session may do all that its person may. */
      scopes: readonly TokenScope[]
      credential: Credential
    }
  | { kind: 'machine'; machineId: MachineId; organizationId: OrganizationId; expiresAt: number }
  | { kind: 'nobody'; code: ErrorCode; reason: string }
