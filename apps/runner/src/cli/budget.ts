import { BatonError, type Budget } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

type BudgetOptions = { runUsd?: string; runTokens?: string; dayUsd?: string; dayTokens?: string }

export const BUDGET_OPTIONS: [string, string][] = [
  ['--run-usd <dollars>', 'most that one run may cost, or "none"'],
  ['--run-tokens <count>', 'most tokens of one run, in and out together, or "none"'],
  ['--day-usd <dollars>', 'most that a day (UTC) may cost, or "none"'],
  ['--day-tokens <count>', 'most tokens of a day, or "none"'],
]

const NONE: Budget = { runUsd: null, runTokens: null, dayUsd: null, dayTokens: null }

export async function agentBudget(
  session: Session,
  [id = '']: string[],
  options: BudgetOptions,
): Promise<void> {
  const baton = await session.baton()
  const agent = await baton.agents.get(id)
  const changed = readBudget(options, agent.budget)
  const after = changed === undefined ? agent : await baton.agents.update(agent.id, { budget: changed })
  session.print(after.budget ?? NONE, () => sentence(`Agent ${printable(agent.key)}`, after.budget))
}

export async function jobBudget(
  session: Session,
  [id = '']: string[],
  options: BudgetOptions,
): Promise<void> {
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  const changed = readBudget(options, job.budget)
  const after = changed === undefined ? job : await baton.jobs.update(job.id, { budget: changed })
  session.print(after.budget ?? NONE, () => sentence(`Job ${printable(job.key)}`, after.budget))
}

/** The whole budget with what the flags change; undefined when they change nothing, null when nothing is left of it. */
export function readBudget(options: BudgetOptions, before: Budget | null): Budget | null | undefined {
  const changes: Partial<Budget> = {}
  for (const name of ['runUsd', 'runTokens', 'dayUsd', 'dayTokens'] as const) {
    const given = options[name]
    if (given !== undefined) changes[name] = readLimit(name, given)
  }
  if (Object.keys(changes).length === 0) return undefined
  const after = { ...NONE, ...before, ...changes }
  return Object.values(after).every((limit) => limit === null) ? null : after
}

function readLimit(name: keyof Budget, given: string): number | null {
  if (given === 'none') return null
  const value = Number(given)
  const isTokens = name.endsWith('Tokens')
  if (!Number.isFinite(value) || value <= 0 || (isTokens && !Number.isInteger(value))) {
    const flag = `--${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`
    const what = isTokens ? 'a whole number of tokens' : 'an amount of dollars like 2 or 0.50'
    throw new BatonError('bad_input', `${flag} ${given}: give ${what}, or "none".`)
  }
  return value
}

function sentence(whose: string, budget: Budget | null): string {
  if (!budget) return `${whose} has no budget.`
  const part = (usd: number | null, tokens: number | null) =>
    [usd === null ? null : `$${usd}`, tokens === null ? null : `${tokens.toLocaleString('en')} tokens`]
      .filter((one) => one !== null)
      .join(' and ') || 'anything'
  return `${whose}: one run may use ${part(budget.runUsd, budget.runTokens)}, a day ${part(budget.dayUsd, budget.dayTokens)}.`
}
