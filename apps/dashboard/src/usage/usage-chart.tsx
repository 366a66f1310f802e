import type { UsageTotals, UsageView } from '@baton/protocol'
import { BarChart } from '../elements/bar-chart.tsx'
import { formatUsd } from '../elements/budget-fields.tsx'
import { formatCount } from '../elements/format.ts'
import { daysBetween } from './usage-queries.ts'

export type Measure = 'tokens' | 'cost'

export const tokensOf = ({ inputTokens, outputTokens }: UsageTotals) => inputTokens + outputTokens

/** A bar for each day of an answer that is grouped by day. */
export function UsageChart({ view, measure }: { view: UsageView; measure: Measure }) {
  const rows = new Map(view.rows.map((row) => [row.id ?? row.name, row]))
  const bars = daysBetween(view.since, view.until).map((day) => {
    const row = rows.get(day)
    const value = row === undefined ? 0 : measure === 'tokens' ? tokensOf(row) : row.costUsd
    return {
      name: day,
      value,
      text: measure === 'tokens' ? `${formatCount(value)} tokens` : formatUsd(value),
    }
  })
  return (
    <BarChart
      label={measure === 'tokens' ? 'Tokens a day' : 'US dollars a day'}
      unit={measure === 'tokens' ? 'Tokens' : 'US dollars'}
      bars={bars}
    />
  )
}
