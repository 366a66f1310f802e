import { PERMISSION_MODES, type PermissionMode, type PushedDelivery } from '@baton/protocol'
import type { Policy } from '../../config/policy.ts'

/** The delivery as this machine carries it out, and what was taken from it, in words. */
export type Power = {
  delivery: PushedDelivery
  limited: string[]
  /** Names of the environment that the policy gives beside what every agent sees. */
  environment: readonly string[]
}

/**
 * Work whose text came from outside the organization gets the least power: only reading, a folder of its own, no secrets,
 * no memory, and of the environment only what the policy names for such work. It gets more only where its job asks for it
 * and the policy of this machine agrees; the relay alone can grant nothing.
 */
export function leastPower(given: PushedDelivery, policy: Policy): Power {
  const delivery = policy.approvals ? given : withoutApprovals(given)
  if (delivery.trust === 'member') return { delivery, limited: [], environment: policy.environment }
  const rights = delivery.publicRights
  const isTrusted =
    rights?.trust === 'member' &&
    policy.public.trustedJobs.some((key) => key === '*' || key === delivery.job?.key)
  if (isTrusted)
    return { delivery: { ...delivery, trust: 'member' }, limited: [], environment: policy.environment }
  const { agent, workspace } = delivery
  const permissionMode = modeOf(agent.permissionMode, rights?.permissionMode ?? null, policy)
  const isOwnFolder = workspace.path === null && workspace.worktree === null
  const limited = [
    // A fixed program does what it does in every mode.
    permissionMode === agent.permissionMode || agent.runtime === 'command'
      ? null
      : `it may ${permissionMode.replace('_', ' ')} instead of ${agent.permissionMode}`,
    isOwnFolder && !workspace.scratch ? 'it works in an empty folder of its own' : null,
    agent.secretNames.length > 0 ? `it gets none of the agent's secrets` : null,
    'it has no memory and no skills',
  ].filter((one) => one !== null)
  return {
    delivery: {
      ...delivery,
      // A person may still be asked; what nobody looks at is allowed by nothing.
      agent: {
        ...agent,
        permissionMode,
        approvals: { ...agent.approvals, allow: [] },
        secretNames: [],
        skills: [],
      },
      workspace: isOwnFolder ? { ...workspace, scratch: true } : workspace,
    },
    limited: [`It was started from outside the organization, so ${limited.join(', ')}.`],
    environment: policy.public.environment,
  }
}

/** Everything that the agent asks is denied. */
export function withoutApprovals(delivery: PushedDelivery): PushedDelivery {
  const approvals = { ...delivery.agent.approvals, mode: 'deny' as const, allow: [] }
  return { ...delivery, agent: { ...delivery.agent, approvals } }
}

/** What the job asks for, as far as the agent has it and the policy grants it to work from outside; else only reading. */
function modeOf(own: PermissionMode, asked: PermissionMode | null, policy: Policy): PermissionMode {
  const rank = (mode: PermissionMode) => PERMISSION_MODES.indexOf(mode)
  if (asked === null || !policy.public.permissionModes.includes(asked)) return 'read_only'
  return rank(asked) <= rank(own) ? asked : own
}
