import type { AgentView, MachineId, RuntimeProbe } from '@baton/protocol'
import type { Baton, CreateAgent } from '@baton/sdk'

/** The CLIs that get an agent by themselves, best first, with the agent's name. */
export const CLI_NAMES = {
  claude: 'Claude Code',
  codex: 'Codex',
  gemini: 'Gemini CLI',
  opencode: 'opencode',
} as const

/**
 * The agent `demo`, and one for each CLI that is installed and signed in, by the name of its runtime. Those that are
 * there are left as they are.
 */
export async function ensureAgents(
  baton: Baton,
  machineId: MachineId,
  found: RuntimeProbe[],
): Promise<AgentView[]> {
  const agents = await baton.agents.list()
  const clis = (Object.keys(CLI_NAMES) as (keyof typeof CLI_NAMES)[]).filter((runtime) =>
    found.some((one) => one.runtime === runtime && one.installed && one.signedIn === 'yes'),
  )
  const wanted: Omit<CreateAgent, 'machineId'>[] = [
    { key: 'demo', name: 'Demo', runtime: 'command', command: 'demo' },
    ...clis.map((runtime) => ({ key: runtime, name: CLI_NAMES[runtime], runtime })),
  ]
  const missing = wanted.filter(({ key }) => !agents.some((agent) => agent.key === key))
  for (const agent of missing) agents.push(await baton.agents.create({ ...agent, machineId }))
  return agents
}
