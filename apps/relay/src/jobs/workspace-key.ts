import type { AgentId, DeliveryId } from '@baton/protocol'

/** The workspace word that asks for a new folder of its own for each run. */
export const SCRATCH = 'scratch'

/**
 * Deliveries with the same key on a machine never work at the same time: one folder, one run. A scratch workspace is
 * its delivery's alone; no workspace at all is the agent's own folder.
 */
export function workspaceKey(workspace: string | null, agentId: AgentId, deliveryId: DeliveryId): string {
  if (workspace === SCRATCH) return deliveryId
  return workspace ?? agentId
}
