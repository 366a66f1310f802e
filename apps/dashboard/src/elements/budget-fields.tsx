import type { Budget } from '@baton/protocol'
import { formatCount } from './format.ts'
import { NumberField } from './number-field.tsx'

export const NO_BUDGET: Budget = { runUsd: null, runTokens: null, dayUsd: null, dayTokens: null }

/** null where nothing is limited: the API keeps no empty budget. */
export const budgetOrNone = (budget: Budget): Budget | null =>
  Object.values(budget).every((value) => value === null) ? null : budget

type BudgetFieldsProps = { budget: Budget; onChange: (budget: Budget) => void }

/** What may be spent, for each run and on each day of UTC. */
export function BudgetFields({ budget, onChange }: BudgetFieldsProps) {
  const field = (name: keyof Budget, label: string, step: number | 'any') => (
    <NumberField
      label={label}
      value={budget[name]}
      min={0}
      step={step}
      placeholder="no limit"
      onChange={(value) => onChange({ ...budget, [name]: value })}
    />
  )
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {field('runUsd', 'US dollars for a run', 'any')}
      {field('runTokens', 'Tokens for a run', 1)}
      {field('dayUsd', 'US dollars for a day', 'any')}
      {field('dayTokens', 'Tokens for a day', 1)}
    </div>
  )
}

/** "at most $2.00 and 100,000 tokens for a run, $10.00 for a day"; null without a budget. */
export function budgetWords(budget: Budget | null): string | null {
  if (budget === null) return null
  const part = (usd: number | null, tokens: number | null, per: string) => {
    const most = [usd !== null && formatUsd(usd), tokens !== null && `${formatCount(tokens)} tokens`]
    const text = most.filter(Boolean).join(' and ')
    return text && `${text} for ${per}`
  }
  const parts = [
    part(budget.runUsd, budget.runTokens, 'a run'),
    part(budget.dayUsd, budget.dayTokens, 'a day'),
  ].filter(Boolean)
  return parts.length === 0 ? null : `at most ${parts.join(', ')}`
}

/** "$1,204.50"; what is less than a cent keeps four places. */
export function formatUsd(usd: number): string {
  const places = usd > 0 && usd < 0.01 ? 4 : 2
  return `$${usd.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places })}`
}
