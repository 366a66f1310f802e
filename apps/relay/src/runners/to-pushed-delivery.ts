import { isUtf8 } from 'node:buffer'
import type { LeasedDelivery } from '@baton/db'
import { PUSHED_BODY_BYTES, type PushedDelivery } from '@baton/protocol'
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
      isolation: { kind: 'host' },
      approvals: { mode: 'deny', expiresMs: 30 * 60_000, allow: [] },
      secretNames: [],
    },
    trust: 'member',
    budget: { runUsd: null, runTokens: null, dayUsd: null, dayTokens: null },
    workspace: {
      path: lease.workspace === SCRATCH ? null : lease.workspace,
      scratch: lease.workspace === SCRATCH,
      worktree: null,
    },
    prompt: lease.prompt,
    job: lease.job,
    event: {
      id: lease.event.id,
      source: lease.event.source,
      contentType: lease.event.contentType,
      body: bodyText(lease.event.body),
    },
    limits: lease.limits,
    sessionId: null,
    nudge: false,
    conversation: null,
  }
}

function bodyText(body: Buffer | null): string | null {
  return body !== null && body.length <= PUSHED_BODY_BYTES && isUtf8(body) ? body.toString('utf8') : null
}
