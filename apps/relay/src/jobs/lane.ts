import { type AgentId, isWorktreeWorkspace } from '@baton/protocol'

/** The workspace word that asks for a new folder of its own for each run. */
export const SCRATCH = 'scratch'

/**
 * Deliveries in the same lane of a machine never work at the same time: one folder, one run. No workspace at all is the
 * agent's own folder; a scratch workspace or a worktree is its run's alone and needs no lane.
 */
export function laneOf(workspace: string | null, agentId: AgentId): string | null {
  if (workspace === SCRATCH || isWorktreeWorkspace(workspace)) return null
  return workspace ?? agentId
}
