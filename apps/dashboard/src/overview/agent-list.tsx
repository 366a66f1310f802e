import type { AgentView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { AgentMark } from '../elements/status-mark.tsx'

export function AgentList({ agents }: { agents: AgentView[] }) {
  return (
    <ul className="card divide-y divide-line">
      {agents.map((agent) => (
        <li key={agent.id}>
          <Link
            to="/agents/$agent"
            params={{ agent: agent.key }}
            className="block space-y-1 rounded-xl px-4 py-3 hover:bg-hover"
          >
            <span className="flex items-center justify-between gap-3">
              <span className="min-w-0 truncate font-medium">{agent.key}</span>
              <AgentMark state={agent.state} />
            </span>
            {agent.cause !== null && <span className="block text-[13px] text-soft">{agent.cause}</span>}
            <span className="block text-[13px] text-soft">
              {agent.runtime === 'command' ? `command ${agent.command}` : (agent.model ?? agent.runtime)} on{' '}
              {agent.machine.name}
              {agent.pending > 0 && ` · ${agent.pending} waiting`}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
