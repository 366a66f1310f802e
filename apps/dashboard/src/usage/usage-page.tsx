import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { formatUsd } from '../elements/budget-fields.tsx'
import { formatCount, plural } from '../elements/format.ts'
import { Loaded, Page, Section } from '../elements/page.tsx'
import { BudgetList } from './budget-list.tsx'
import { type Measure, tokensOf, UsageChart } from './usage-chart.tsx'
import { usageQuery } from './usage-queries.ts'
import { UsageTable } from './usage-table.tsx'

const route = getRouteApi('/usage')
const GROUPS = ['agent', 'job', 'machine', 'model'] as const
const SPANS = [7, 30, 90]

/** What agents used, by whom and when, and how much of the budgets is left. */
export function UsagePage() {
  const { client } = useApi()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const days = search.days ?? 30
  const by = search.by ?? 'agent'
  const measure: Measure = search.measure ?? 'tokens'
  const perDay = useQuery(usageQuery(client, 'day', days))
  const grouped = useQuery(usageQuery(client, by, days))
  const change = (part: Partial<typeof search>) => void navigate({ search: { ...search, ...part } })
  return (
    <Page title="Usage" lead="Tokens and money that agents used. Days are those of UTC.">
      <div className="mb-4 flex flex-wrap gap-2">
        <Choice
          label="Days"
          value={String(days)}
          options={SPANS.map((span) => [String(span), `the last ${span} days`])}
          onChange={(value) => change({ days: Number(value) })}
        />
        <Choice
          label="Shown"
          value={measure}
          options={[
            ['tokens', 'tokens'],
            ['cost', 'cost'],
          ]}
          onChange={(value) => change({ measure: value as Measure })}
        />
      </div>
      <Section title="Day by day">
        <Loaded answer={perDay} of="the usage">
          {(view) => (
            <div className="card space-y-3 p-4">
              <p className="tabular-nums">
                <strong className="font-semibold">{formatCount(tokensOf(view.total))} tokens</strong> in{' '}
                {plural(view.total.runs, 'run')}, {formatUsd(view.total.costUsd)} told by agents
                {view.total.runsWithoutCost > 0 &&
                  ` (${plural(view.total.runsWithoutCost, 'run')} told no cost)`}
                .
              </p>
              <UsageChart view={view} measure={measure} />
            </div>
          )}
        </Loaded>
      </Section>
      <BudgetList />
      <Section
        title="Who used it"
        aside={
          <Choice
            label="By"
            value={by}
            options={GROUPS.map((group) => [group, group])}
            onChange={(value) => change({ by: value as (typeof GROUPS)[number] })}
          />
        }
      >
        <Loaded answer={grouped} of="the usage">
          {(view) => <UsageTable view={view} label={`Usage by ${by}`} />}
        </Loaded>
      </Section>
    </Page>
  )
}

type ChoiceProps = {
  label: string
  value: string
  options: readonly (readonly [value: string, label: string])[]
  onChange: (value: string) => void
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label className="flex items-center gap-2 text-soft">
      {label}
      <select className="field w-auto" value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map(([option, name]) => (
          <option key={option} value={option}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
