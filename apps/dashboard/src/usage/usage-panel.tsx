import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import { formatUsd } from '../elements/budget-fields.tsx'
import { CardPart } from '../elements/facts.tsx'
import { formatCount, plural } from '../elements/format.ts'
import { Loaded } from '../elements/page.tsx'
import { tokensOf, UsageChart } from './usage-chart.tsx'
import { type UsageFilter, usageQuery } from './usage-queries.ts'

const DAYS = 30

/** What one job or agent used within a month, day by day and by model. */
export function UsagePanel({ filter }: { filter: UsageFilter }) {
  const { client } = useApi()
  const days = useQuery(usageQuery(client, 'day', DAYS, filter))
  const models = useQuery(usageQuery(client, 'model', DAYS, filter))
  return (
    <div className="card">
      <CardPart title={`Usage of ${DAYS} days`}>
        <Loaded answer={days} of="the usage">
          {(view) =>
            tokensOf(view.total) === 0 ? (
              <p className="text-[13px] text-soft">No run told what it used.</p>
            ) : (
              <div className="space-y-2">
                <p className="text-[13px] tabular-nums">
                  {formatCount(tokensOf(view.total))} tokens in {plural(view.total.runs, 'run')}
                  {view.total.runsWithoutCost < view.total.runs && `, ${formatUsd(view.total.costUsd)}`}
                </p>
                <UsageChart view={view} measure="tokens" />
              </div>
            )
          }
        </Loaded>
        {models.data && tokensOf(models.data.total) > 0 && (
          <ul aria-label="By model" className="mt-2 space-y-0.5 text-[13px]">
            {models.data.rows.map((row) => (
              <li key={row.id ?? 'none'} className="flex justify-between gap-3">
                <span className="min-w-0 truncate">{row.name ?? row.id ?? 'model not known'}</span>
                <span className="text-soft tabular-nums">{formatCount(tokensOf(row))}</span>
              </li>
            ))}
          </ul>
        )}
      </CardPart>
    </div>
  )
}
