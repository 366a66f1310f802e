import type { AgentView, MachineId, RuntimeProbe } from '@baton/protocol'
import type { Baton } from '@baton/sdk'

/** The agent `demo`, and `claude` when Claude Code is installed and signed in. Those that are there are left as they are. */
export async function ensureAgents(
  baton: Baton,
  machineId: MachineId,
  found: RuntimeProbe[],
): Promise<AgentView[]> {
  const agents = await baton.agents.list()
  const wanted = [{ key: 'demo', name: 'Demo', runtime: 'command', command: 'demo' } as const]
  const claude = found.find((one) => one.runtime === 'claude')
  const isClaudeReady = claude?.installed === true && claude.signedIn === 'yes'
  const missing = [
    ...wanted,
    ...(isClaudeReady ? [{ key: 'claude', name: 'Claude Code', runtime: 'claude' } as const] : []),
  ].filter(({ key }) => !agents.some((agent) => agent.key === key))
  for (const agent of missing) agents.push(await baton.agents.create({ ...agent, machineId }))
  return agents
}
