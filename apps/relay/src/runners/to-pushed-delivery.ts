import { isUtf8 } from 'node:buffer'
import type { LeasedDelivery } from '@baton/db'
import {
  isWorktreeWorkspace,
  PUSHED_BODY_BYTES,
  type PushedDelivery,
  parseWorktreeWorkspace,
} from '@baton/protocol'
import { cleanGithubBody } from '../github/clean-body.ts'
import { SCRATCH } from '../jobs/lane.ts'

/** A lease as it is pushed to its runner. */
export function toPushedDelivery(lease: LeasedDelivery): PushedDelivery {
  return {
    deliveryId: lease.id,
    runId: lease.runId,
    fence: lease.fence,
    attempt: lease.attempt,
    agent: {
      id: lease.agentId,
      ...lease.agent,
    },
    trust: lease.trust,
    publicRights: lease.publicRights,
    budget: lease.budget,
    workspace: {
      path: lease.workspace === SCRATCH || isWorktreeWorkspace(lease.workspace) ? null : lease.workspace,
      scratch: lease.workspace === SCRATCH,
      worktree: worktreeOf(lease.workspace),
    },
    prompt: lease.prompt,
    job: lease.job,
    event: {
      id: lease.event.id,
      source: lease.event.source,
      contentType: lease.event.contentType,
      body: bodyText(
        lease.event.source === 'github' && lease.event.body !== null
          ? cleanGithubBody(lease.event.body)
          : lease.event.body,
      ),
    },
    limits: lease.limits,
    sessionId: lease.session?.id ?? null,
    sessionCwd: lease.session?.cwd ?? null,
    nudge: lease.nudge,
    conversation: lease.conversation,
  }
}

/** Null also for what was stored before its form was checked: then the runner is asked for the folder of that name. */
function worktreeOf(workspace: string | null): PushedDelivery['workspace']['worktree'] {
  if (workspace === null || !isWorktreeWorkspace(workspace)) return null
  const parsed = parseWorktreeWorkspace(workspace)
  return 'problem' in parsed ? { repository: workspace, ref: null } : parsed
}

function bodyText(body: Buffer | null): string | null {
  return body !== null && body.length <= PUSHED_BODY_BYTES && isUtf8(body) ? body.toString('utf8') : null
}
