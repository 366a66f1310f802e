import type { AgentView, MachineView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { AgentMark, MachineMark } from '../elements/status-mark.tsx'
import { Ago } from '../elements/time.tsx'
import { Load } from '../overview/machine-cards.tsx'
import { AddAgent } from './add-agent.tsx'
import { MachineActions } from './machine-actions.tsx'
import { MachineWatches } from './machine-watches.tsx'
import { PauseAgent } from './pause-agent.tsx'
import { RuntimeList } from './runtime-list.tsx'

/** One machine: whether it is there and if not why, what is installed on it, who works on it. */
export function MachineCard({ machine, agents }: { machine: MachineView; agents: AgentView[] }) {
  const gone = machine.state === 'revoked' || machine.state === 'archived'
  return (
    <article className="card flex h-full flex-col">
      <div className="space-y-1 px-4 py-3">
        <div className="flex items-center justify-between gap-3">
          <h2 className="min-w-0 truncate text-base font-semibold">{machine.name}</h2>
          <MachineMark state={machine.state} />
        </div>
        {machine.cause !== null && <p>{machine.cause}</p>}
        <p className="text-[13px] text-soft">
          {!gone && <Load machine={machine} />}
          {machine.lastHeartbeatAt !== null && (
            <>
              {gone ? 'last heard ' : ' · last heard '}
              <Ago at={machine.lastHeartbeatAt} />
            </>
          )}
        </p>
        <p className="text-[13px] break-words text-soft">{systemWords(machine)}</p>
      </div>
      <div className="border-t border-line px-4 py-3">
        <h3 className="mb-1 text-[13px] font-semibold text-soft">Installed</h3>
        <RuntimeList probes={machine.runtimes} />
      </div>
      <MachineWatches agents={agents} />
      <div className="border-t border-line px-4 py-3">
        <div className="mb-1 flex min-h-7 items-center justify-between gap-2">
          <h3 className="text-[13px] font-semibold text-soft">Agents</h3>
          {!gone && <AddAgent machine={machine} />}
        </div>
        {agents.length === 0 && <p className="text-[13px] text-soft">None yet.</p>}
        <ul className="space-y-1">
          {agents.map((agent) => (
            <li key={agent.id} className="flex min-h-7 flex-wrap items-center gap-x-2">
              <Link
                to="/agents/$agent"
                params={{ agent: agent.key }}
                className="font-medium hover:text-accent hover:underline"
              >
                {agent.key}
              </Link>
              <span className="text-[13px] text-soft">
                {agent.runtime === 'command' ? `command ${agent.command}` : (agent.model ?? agent.runtime)}
              </span>
              <span className="ml-auto flex items-center gap-1">
                <AgentMark state={agent.state} />
                <PauseAgent agent={agent} />
              </span>
              {agent.cause !== null && <span className="w-full text-[13px] text-soft">{agent.cause}</span>}
            </li>
          ))}
        </ul>
      </div>
      <div className="mt-auto flex flex-wrap items-center justify-between gap-2 border-t border-line px-4 py-2">
        <Link
          to="/runs"
          search={{ machine: machine.id }}
          className="rounded py-1 text-[13px] font-medium text-accent hover:underline"
        >
          Its runs
        </Link>
        <MachineActions machine={machine} />
      </div>
    </article>
  )
}

function systemWords({ hostname, os, arch, runnerVersion }: MachineView): string {
  if (os === null) return 'No runner has connected with its key yet.'
  return [hostname, [os, arch].filter(Boolean).join(' '), runnerVersion && `runner ${runnerVersion}`]
    .filter(Boolean)
    .join(' · ')
}
