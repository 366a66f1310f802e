import type { AgentId } from '@baton/protocol'

/** A sealed value opens only as this secret of this agent: moved to another row it cannot be read. */
export const agentSecretContext = (agentId: AgentId, name: string): string =>
  `agent-secret:${agentId}:${name}`
