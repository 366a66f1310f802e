import { type AgentView, STARTABLE_RUNTIMES } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { machinesQuery } from '../api/queries.ts'
import { budgetWords } from '../elements/budget-fields.tsx'
import { CardPart, Fact, Facts } from '../elements/facts.tsx'
import { formatDuration } from '../elements/format.ts'
import { Capabilities } from '../machines/capabilities.tsx'
import { Probe } from '../machines/runtime-list.tsx'
import { Meters } from '../usage/budget-list.tsx'
import { usageQuery } from '../usage/usage-queries.ts'
import { isolationWords, PERMISSION_WORDS } from './agent-words.ts'

/** What an agent is made of, what its machine has for it, and what it may. */
export function AgentFacts({ agent }: { agent: AgentView }) {
  const { client } = useApi()
  const machines = useQuery(machinesQuery(client))
  const today = useQuery({
    ...usageQuery(client, 'agent', 1, { agent: agent.key }),
    enabled: agent.budget !== null,
  })
  const probe = machines.data
    ?.find(({ id }) => id === agent.machine.id)
    ?.runtimes.find(({ runtime }) => runtime === agent.runtime)
  return (
    <div className="card divide-y divide-line">
      <CardPart title={`${agent.runtime} on ${agent.machine.name}`}>
        {probe ? (
          <Probe probe={probe} />
        ) : (
          <p className="text-[13px] text-soft">
            {STARTABLE_RUNTIMES.includes(agent.runtime)
              ? 'That machine has not said whether it has this program.'
              : 'This version cannot start this runtime.'}
          </p>
        )}
        <div className="mt-2">
          <Capabilities of={agent.capabilities} />
        </div>
      </CardPart>
      <CardPart title="Settings">
        <Facts>
          <Fact name="May">{PERMISSION_WORDS[agent.permissionMode]}</Fact>
          <Fact name="When it asks">
            {agent.approvals.mode === 'ask'
              ? `a person is asked, for ${formatDuration(agent.approvals.expiresMs)}`
              : 'it is refused at once'}
          </Fact>
          {agent.approvals.allow.length > 0 && (
            <Fact name="Allowed">
              <code className="font-mono text-xs">{agent.approvals.allow.join(', ')}</code>
            </Fact>
          )}
          <Fact name="Isolation">{isolationWords(agent.isolation)}</Fact>
          <Fact name="Folder">
            <span className="font-mono text-xs">{agent.workspace ?? 'kept by the runner'}</span>
          </Fact>
          <Fact name="At once">
            {agent.maxConcurrent}
            {agent.perHour !== null && `, ${agent.perHour} an hour`}
          </Fact>
          <Fact name="Budget">{budgetWords(agent.budget) ?? 'none'}</Fact>
        </Facts>
        {agent.budget && (
          <div className="mt-2 space-y-2">
            <Meters budget={agent.budget} used={today.data?.rows[0]} />
          </div>
        )}
      </CardPart>
      <div className="px-4 py-2 text-[13px]">
        <Link
          to="/machines/$machine"
          params={{ machine: agent.machine.id }}
          className="font-medium text-accent hover:underline"
        >
          Its machine
        </Link>
      </div>
    </div>
  )
}
