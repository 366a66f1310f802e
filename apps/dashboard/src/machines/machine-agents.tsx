import type { AgentView, MachineView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { runtimeWords } from '../agents/agent-words.ts'
import { Section } from '../elements/page.tsx'
import { AgentMark } from '../elements/status-mark.tsx'
import { AddAgent } from './add-agent.tsx'
import { PauseAgent } from './pause-agent.tsx'

/** Who works on a machine. */
export function MachineAgents({ machine, agents }: { machine: MachineView; agents: AgentView[] }) {
  const gone = machine.state === 'revoked' || machine.state === 'archived'
  return (
    <Section title="Agents" aside={!gone && <AddAgent machine={machine} />}>
      {agents.length === 0 ? (
        <p className="card border-dashed px-4 py-3 text-soft">
          None yet. An agent is a program of this machine with instructions and limits of its own.
        </p>
      ) : (
        <ul aria-label="Agents" className="card divide-y divide-line">
          {agents.map((agent) => (
            <li key={agent.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
              <div className="min-w-0 flex-1 basis-48">
                <Link
                  to="/agents/$agent"
                  params={{ agent: agent.key }}
                  data-row
                  className="rounded font-medium hover:text-accent hover:underline"
                >
                  {agent.key}
                </Link>{' '}
                <span className="text-[13px] text-soft">{runtimeWords(agent)}</span>
                {agent.cause !== null && agent.state !== 'offline' && (
                  <p className="text-[13px] break-words text-warn">{agent.cause}</p>
                )}
              </div>
              <span className="flex items-center gap-1">
                <AgentMark state={agent.state} />
                <PauseAgent agent={agent} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}
