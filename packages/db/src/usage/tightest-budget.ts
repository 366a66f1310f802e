import type { Budget } from '@baton/protocol'

export type BudgetFacts = { budget: Budget; usd: number; tokens: number }

/**
 * The most that one run may use, of the budgets of its agent and its job. What is left of a day goes into `dayUsd` and
 * `dayTokens`, so that the runner needs to know nothing of other runs.
 */
export function tightestBudget(facts: readonly (BudgetFacts | null)[]): Budget {
  const known = facts.filter((one) => one !== null)
  const least = (values: (number | null)[]) => {
    const given = values.filter((value) => value !== null)
    return given.length === 0 ? null : Math.min(...given)
  }
  const left = (limit: number | null, used: number) =>
    limit === null ? null : Math.max(limit / 1e6, limit - used)
  const whole = (tokens: number | null) => tokens && Math.ceil(tokens)
  return {
    runUsd: least(known.map(({ budget }) => budget.runUsd)),
    runTokens: least(known.map(({ budget }) => budget.runTokens)),
    dayUsd: least(known.map(({ budget, usd }) => left(budget.dayUsd, usd))),
    dayTokens: whole(least(known.map(({ budget, tokens }) => left(budget.dayTokens, tokens)))),
  }
}
