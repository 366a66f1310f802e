import type { AgentView, MachineView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { agentsQuery, machinesQuery } from '../api/queries.ts'
import { Button } from '../elements/button.tsx'
import { Dialog } from '../elements/dialog.tsx'
import { FindBox, fits } from '../elements/find-box.tsx'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { AgentMark, MachineMark } from '../elements/status-mark.tsx'
import { AddAgentForm } from '../machines/add-agent.tsx'
import { PauseAgent } from '../machines/pause-agent.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { runtimeWords } from './agent-words.ts'

const route = getRouteApi('/agents')
/** From how many on finding one by eye is tedious. */
const MANY = 8

/** Who works here, with what, and whether they can right now. */
export function AgentsPage() {
  useRowKeys()
  const { client } = useApi()
  const agents = useQuery(agentsQuery(client))
  const [adding, setAdding] = useState(false)
  return (
    <Page
      title="Agents"
      lead="Who does the work, and on which machine."
      actions={
        <Button look="main" icon={<Plus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          Add an agent
        </Button>
      }
    >
      <Loaded answer={agents} of="the agents">
        {(all) =>
          all.length === 0 ? <NoAgents onAdd={() => setAdding(true)} /> : <AgentRows agents={all} />
        }
      </Loaded>
      {adding && <AddAgentAnywhere onClose={() => setAdding(false)} />}
    </Page>
  )
}

function NoAgents({ onAdd }: { onAdd: () => void }) {
  return (
    <Empty title="No agent yet.">
      <p className="text-soft">
        An agent is a program such as Claude Code or Codex on one of your machines, with instructions,
        permissions and limits of its own.
      </p>
      <Button onClick={onAdd}>Add an agent</Button>
    </Empty>
  )
}

function AgentRows({ agents }: { agents: AgentView[] }) {
  const { text = '' } = route.useSearch()
  const navigate = route.useNavigate()
  const fitting = agents.filter((agent) =>
    fits(text, [agent.key, agent.name, agent.machine.name, agent.state, runtimeWords(agent)]),
  )
  return (
    <>
      {(agents.length >= MANY || text !== '') && (
        <FindBox
          label="Find an agent"
          text={text}
          count={fitting.length}
          onChange={(next) => void navigate({ search: next === '' ? {} : { text: next }, replace: true })}
        />
      )}
      {fitting.length === 0 ? (
        <Empty title={`No agent, machine, program or state has “${text}” in it.`} />
      ) : (
        <ul aria-label="Agents" className="card divide-y divide-line">
          {fitting.map((agent) => (
            <li key={agent.id}>
              <AgentRow agent={agent} />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function AgentRow({ agent }: { agent: AgentView }) {
  const trouble = agent.blocked?.message ?? (agent.state === 'offline' ? null : agent.cause)
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
      <div className="min-w-0 flex-1 basis-48">
        <Link
          to="/agents/$agent"
          params={{ agent: agent.key }}
          data-row
          className="rounded font-medium break-words hover:text-accent hover:underline"
        >
          {agent.name}
        </Link>{' '}
        {agent.name !== agent.key && <code className="font-mono text-[13px] text-soft">{agent.key}</code>}
        <p className="text-[13px] break-words text-soft">
          {runtimeWords(agent)} on{' '}
          <Link
            to="/machines/$machine"
            params={{ machine: agent.machine.id }}
            className="hover:text-accent hover:underline"
          >
            {agent.machine.name}
          </Link>
          {agent.live > 0 && ` · ${agent.live} running`}
          {agent.pending > 0 && ` · ${agent.pending} waiting`}
        </p>
        {trouble && <p className="text-[13px] break-words text-warn">{trouble}</p>}
      </div>
      <span className="flex items-center gap-1">
        <AgentMark state={agent.state} />
        <PauseAgent agent={agent} />
      </span>
    </div>
  )
}

/** First on which machine: that decides which programs there are to choose from. */
function AddAgentAnywhere({ onClose }: { onClose: () => void }) {
  const { client } = useApi()
  const machines = useQuery(machinesQuery(client))
  const [chosen, setChosen] = useState<MachineView | null>(null)
  const usable = machines.data?.filter(({ state }) => state !== 'revoked' && state !== 'archived') ?? []
  const machine = chosen ?? (usable.length === 1 ? usable[0] : undefined)
  if (machine) return <AddAgentForm machine={machine} onClose={onClose} />
  return (
    <Dialog title="On which machine?" onClose={onClose}>
      {machines.data !== undefined && usable.length === 0 && (
        <p>
          No machine is registered.{' '}
          <Link to="/machines" className="font-medium text-accent underline">
            Add one first.
          </Link>
        </p>
      )}
      <ul className="space-y-1">
        {usable.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              className="flex min-h-11 w-full items-center justify-between gap-3 rounded-lg border border-line px-3 text-left hover:bg-hover"
              onClick={() => setChosen(one)}
            >
              <span className="min-w-0 truncate font-medium">{one.name}</span>
              <MachineMark state={one.state} />
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}
