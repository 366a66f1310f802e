import type { Budget, UsageRow } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { agentsQuery, jobsQuery } from '../api/queries.ts'
import { formatUsd } from '../elements/budget-fields.tsx'
import { formatCount } from '../elements/format.ts'
import { Meter } from '../elements/meter.tsx'
import { Section } from '../elements/page.tsx'
import { tokensOf } from './usage-chart.tsx'
import { usageQuery } from './usage-queries.ts'

type Budgeted = { id: string; key: string; kind: 'agent' | 'job'; budget: Budget }

/** Budgets for a day with what is left of them today. */
export function BudgetList() {
  const { client } = useApi()
  const agents = useQuery(agentsQuery(client))
  const jobs = useQuery(jobsQuery(client))
  const byAgent = useQuery(usageQuery(client, 'agent', 1))
  const byJob = useQuery(usageQuery(client, 'job', 1))
  const all: Budgeted[] = [
    ...(agents.data ?? []).map((agent) => ({ ...agent, kind: 'agent' as const })),
    ...(jobs.data ?? []).map((job) => ({ ...job, kind: 'job' as const })),
  ].flatMap(({ id, key, kind, budget }) => (hasDay(budget) ? [{ id, key, kind, budget }] : []))
  if (all.length === 0) return null
  const usedBy = ({ id, kind }: Budgeted) =>
    (kind === 'agent' ? byAgent : byJob).data?.rows.find((row) => row.id === id)
  return (
    <Section title="Budgets for today">
      <ul aria-label="Budgets" className="card divide-y divide-line">
        {all.map((one) => (
          <li key={one.id} className="grid gap-x-6 gap-y-2 px-4 py-3 sm:grid-cols-[10rem_minmax(0,1fr)]">
            <div>
              <Link
                to={one.kind === 'agent' ? '/agents/$agent' : '/jobs/$job'}
                params={{ agent: one.key, job: one.key }}
                className="font-medium text-accent hover:underline"
              >
                {one.key}
              </Link>{' '}
              <span className="text-[13px] text-soft">{one.kind}</span>
            </div>
            <div className="space-y-2">
              <Meters budget={one.budget} used={usedBy(one)} />
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}

const hasDay = (budget: Budget | null): budget is Budget =>
  budget !== null && (budget.dayUsd !== null || budget.dayTokens !== null)

export function Meters({ budget, used }: { budget: Budget; used: UsageRow | undefined }) {
  return (
    <>
      {budget.dayUsd !== null && (
        <BudgetMeter name="Cost today" used={used?.costUsd ?? 0} of={budget.dayUsd} format={formatUsd} />
      )}
      {budget.dayTokens !== null && (
        <BudgetMeter
          name="Tokens today"
          used={used ? tokensOf(used) : 0}
          of={budget.dayTokens}
          format={formatCount}
        />
      )}
    </>
  )
}

type BudgetMeterProps = { name: string; used: number; of: number; format: (value: number) => string }

function BudgetMeter({ name, used, of, format }: BudgetMeterProps) {
  const isUp = used >= of
  return (
    <Meter
      part={used / of}
      left={`${name}: ${format(used)} of ${format(of)}`}
      right={
        <span className={isUp ? 'font-medium text-bad' : 'text-soft'}>
          {isUp ? '✕ used up: runs wait' : `${format(of - used)} left`}
        </span>
      }
    />
  )
}
