import type { ErrorCode, MachineId, OrganizationId, Role, UserId } from '@baton/protocol'

/** Who makes a call. `nobody` says why, so that the answer can. */
export type Principal =
  | { kind: 'user'; userId: UserId; organizationId: OrganizationId; role: Role; sessionHash: string | null }
  | { kind: 'machine'; machineId: MachineId; organizationId: OrganizationId; expiresAt: number }
  | { kind: 'nobody'; code: ErrorCode; reason: string }
