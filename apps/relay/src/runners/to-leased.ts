import type { KnownLease, LeasedDelivery, SessionAgent } from '@baton/db'
import { mergeApprovals } from '@baton/protocol'

const NO_BUDGET = { runUsd: null, runTokens: null, dayUsd: null, dayTokens: null }

/** What the lease statement would have answered for a delivery that was inserted already leased, or leased by its id. */
export function toLeased(
  event: KnownLease['event'],
  delivery: KnownLease['delivery'],
  agent: SessionAgent,
  fence: number,
): LeasedDelivery {
  return {
    id: delivery.id,
    runId: delivery.runId,
    fence,
    attempt: 1,
    agentId: agent.id,
    lane: delivery.lane,
    workspace: delivery.workspace,
    prompt: delivery.prompt,
    limits: delivery.limits,
    agent: {
      key: agent.key,
      runtime: agent.runtime,
      command: agent.command,
      instructions: agent.instructions,
      model: agent.model,
      permissionMode: agent.permissionMode,
      approvals: mergeApprovals(
        agent.approvals,
        (delivery.jobId && agent.jobApprovals[delivery.jobId]) || null,
      ),
      isolation: agent.isolation,
      secretNames: agent.secretNames,
      skills: agent.skills,
    },
    // A delivery with rules, a conversation or a budget is leased by the statement and never pushed from memory.
    trust: delivery.trust,
    publicRights: null,
    budget: NO_BUDGET,
    conversation: null,
    session: null,
    nudge: false,
    job: delivery.jobId && delivery.jobKey ? { id: delivery.jobId, key: delivery.jobKey } : null,
    event: { id: event.id, source: event.source, contentType: event.contentType, body: event.body },
  }
}
