import type { PushedDelivery } from '@baton/protocol'
import { type AgentFolder, agentFolder, makeAgentFolder } from './agent-folder.ts'
import { tellProfile } from './tell-profile.ts'

/** The delivery with instructions that name what its agent keeps on this machine. Work from outside keeps nothing. */
export async function withProfile(
  delivery: PushedDelivery,
  agentsFolder: string,
): Promise<{ delivery: PushedDelivery; keeps: AgentFolder | null }> {
  const keeps = delivery.trust === 'public' ? null : agentFolder(agentsFolder, delivery.agent.key)
  if (keeps === null) return { delivery, keeps }
  await makeAgentFolder(keeps)
  const agent = { ...delivery.agent, instructions: tellProfile(delivery, keeps) }
  return { delivery: { ...delivery, agent }, keeps }
}
