import type { Budget, RunEventBody, Usage } from '@baton/protocol'
import type { RunReader } from '../runtime.ts'

const DAY_MS = 86_400_000
/** An agent whose last call it was has ended by then. */
const DONE_WITHIN_MS = 1_000

/** What a run has used up: its own budget, or what was left of the day. */
export type Spent = { of: 'run' | 'day'; sentence: string }

/** Said by a run that was done before it could be ended, or that names what it used only at its end. */
const LATE: Record<Spent['of'], RunEventBody> = {
  run: { type: 'warning', text: 'It used up its budget and was done before it could be ended.' },
  day: { type: 'warning', text: 'It used up what was left of the budget of the day.' },
}

/** Null while the run is within its budget, or nobody knows what it used. */
export function spentBudget(usage: Usage | null, budget: Budget): Spent | null {
  if (usage === null) return null
  const tokens = usage.inputTokens + usage.outputTokens
  const isOver = (used: number | null, limit: number | null) =>
    used !== null && limit !== null && used >= limit
  if (isOver(usage.costUsd, budget.runUsd))
    return { of: 'run', sentence: `It used up its budget of $${budget.runUsd}, so it was ended.` }
  if (isOver(tokens, budget.runTokens))
    return { of: 'run', sentence: `It used up its budget of ${budget.runTokens} tokens, so it was ended.` }
  if (isOver(usage.costUsd, budget.dayUsd) || isOver(tokens, budget.dayTokens))
    return { of: 'day', sentence: 'It used up what was left of the budget of the day, so it was ended.' }
  return null
}

/**
 * A reader that says once when the run is over its budget: a moment after the model call that used it up, so that at most
 * the call after it is begun, and an agent that was done with that call ends by itself, which is told. A run that ended for
 * the budget of the day says when that is free again.
 */
export function createBudgetReader(
  reader: RunReader,
  budget: Budget,
  onSpent: (spent: Spent) => void,
  now: () => number = Date.now,
): RunReader {
  let spent: Spent | null = null
  let timer: NodeJS.Timeout | null = null

  function look<T>(steps: T): T {
    const found = spent ?? spentBudget(reader.usageSoFar?.() ?? null, budget)
    if (found && !spent) timer = setTimeout(onSpent, DONE_WITHIN_MS, found)
    spent = found
    return steps
  }

  return {
    ...reader,
    read: (chunk) => look(reader.read(chunk)),
    end(exit, facts) {
      if (timer) clearTimeout(timer)
      const { events, end } = reader.end(exit, facts)
      const cause = spent ?? spentBudget(end.usage, budget)
      if (end.errorKind !== 'budget')
        return { events: cause === null ? events : [...events, LATE[cause.of]], end }
      const isOfDay = (cause?.of ?? tighterLimit(budget)) === 'day'
      const message = cause?.sentence ?? end.message
      return { events, end: { ...end, message, quotaUntil: isOfDay ? nextDay(now()) : null } }
    },
  }
}

/** Which budget an agent met that watches its money itself: it was given the smaller one. */
function tighterLimit({ runUsd, dayUsd }: Budget): Spent['of'] {
  return dayUsd !== null && (runUsd === null || dayUsd < runUsd) ? 'day' : 'run'
}

const nextDay = (now: number) => (Math.floor(now / DAY_MS) + 1) * DAY_MS
