import type { AgentView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { agentsQuery } from '../api/queries.ts'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { AgentMark } from '../elements/status-mark.tsx'
import { PauseAgent } from '../machines/pause-agent.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'

/** Who works here, with what, and whether they can right now. */
export function AgentsPage() {
  useRowKeys()
  const { client } = useApi()
  const agents = useQuery(agentsQuery(client))
  return (
    <Page title="Agents" lead="Who does the work, and on which machine.">
      <Loaded answer={agents} of="the agents">
        {(all) =>
          all.length === 0 ? (
            <Empty title="No agent yet.">
              <p className="text-soft">
                Add one to a machine on the{' '}
                <Link to="/machines" className="font-medium text-accent underline">
                  Machines
                </Link>{' '}
                page: it offers what is installed there.
              </p>
            </Empty>
          ) : (
            <ul aria-label="Agents" className="card divide-y divide-line">
              {all.map((agent) => (
                <li key={agent.id}>
                  <AgentRow agent={agent} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  )
}

function AgentRow({ agent }: { agent: AgentView }) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
      <div className="min-w-0 flex-1 basis-48">
        <Link
          to="/agents/$agent"
          params={{ agent: agent.key }}
          data-row
          className="rounded font-medium hover:text-accent hover:underline"
        >
          {agent.name}
        </Link>{' '}
        {agent.name !== agent.key && <code className="font-mono text-[13px] text-soft">{agent.key}</code>}
        <p className="truncate text-[13px] text-soft">
          {runtimeWords(agent)} on {agent.machine.name}
          {agent.live > 0 && ` · ${agent.live} running`}
          {agent.pending > 0 && ` · ${agent.pending} waiting`}
        </p>
        {(agent.blocked?.message ?? agent.cause) && (
          <p className="text-[13px] text-warn">{agent.blocked?.message ?? agent.cause}</p>
        )}
      </div>
      <span className="flex items-center gap-1">
        <AgentMark state={agent.state} />
        <PauseAgent agent={agent} />
      </span>
    </div>
  )
}

export function runtimeWords({ runtime, command, model }: AgentView): string {
  return [command === null ? runtime : `${runtime} ${command}`, model].filter(Boolean).join(', ')
}
