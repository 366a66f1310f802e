import type { AgentState, AgentView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { AgentMark } from '../elements/status-mark.tsx'

const MOST_SHOWN = 6
const ORDER: AgentState[] = ['error', 'busy', 'paused', 'idle', 'offline', 'archived']

/** The agents that matter now: those that cannot work first, then the busy ones. */
export function AgentList({ agents }: { agents: AgentView[] }) {
  const sorted = agents.toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state))
  const rest = sorted.slice(MOST_SHOWN)
  return (
    <ul aria-label="Agents" className="card divide-y divide-line overflow-hidden">
      {sorted.slice(0, MOST_SHOWN).map((agent) => (
        <li key={agent.id}>
          <Link
            to="/agents/$agent"
            params={{ agent: agent.key }}
            className="block space-y-0.5 px-4 py-2.5 -outline-offset-2 hover:bg-hover"
          >
            <span className="flex items-center justify-between gap-3">
              <span className="min-w-0 truncate font-medium">{agent.key}</span>
              <AgentMark state={agent.state} />
            </span>
            <span className="line-clamp-2 text-[13px] break-words text-soft">
              {agent.state === 'error' && agent.cause !== null ? agent.cause : whereWords(agent)}
            </span>
          </Link>
        </li>
      ))}
      {rest.length > 0 && (
        <li>
          <Link
            to="/agents"
            className="block px-4 py-2.5 text-[13px] font-medium text-accent -outline-offset-2 hover:bg-hover"
          >
            {rest.length} more{rest.every(({ state }) => state === 'idle') && ', all idle'}
          </Link>
        </li>
      )}
    </ul>
  )
}

function whereWords({ runtime, command, model, machine, pending }: AgentView): string {
  const what = runtime === 'command' ? `command ${command}` : (model ?? runtime)
  return `${what} on ${machine.name}${pending > 0 ? ` · ${pending} waiting` : ''}`
}
