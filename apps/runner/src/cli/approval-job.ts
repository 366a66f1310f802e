import type { JobView } from '@baton/protocol'
import { type ApprovalOptions, readApprovals } from './approval-options.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

/** `baton job approvals`: shows what a job's runs may do without asking, or changes it. */
export async function jobApprovals(
  session: Session,
  [id = '']: string[],
  options: ApprovalOptions & { inherit?: boolean },
): Promise<void> {
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  const given = options.inherit ? { approvals: null } : readApprovals(options)
  const shown = Object.keys(given).length === 0 ? job : await baton.jobs.update(job.id, given)
  session.print(shown.approvals, () => describeApprovals(shown))
}

function describeApprovals({ key, agent, approvals }: JobView): string {
  const { mode, expiresMs, allow = [] } = approvals
  return [
    `${printable(key)}: ${mode ?? `as its agent ${printable(agent.key)}`}${expiresMs ? `, denied after ${Math.round(expiresMs / 1000)} s without an answer` : ''}`,
    ...(allow.length === 0
      ? ['  nothing on its own allow-list']
      : allow.map((one) => `  allowed  ${printable(one)}`)),
  ].join('\n')
}
