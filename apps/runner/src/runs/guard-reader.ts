import type { PushedDelivery } from '@baton/protocol'
import { createMaskedReader } from '../agents/profile/masked-reader.ts'
import { createBudgetReader } from '../agents/profile/watch-budget.ts'
import type { RunReader } from '../agents/runtime.ts'
import type { RunLife } from './run-life.ts'

/** A reader that ends its run when the budget is used up, and that tells no secret. */
export function guardReader(life: RunLife, { budget }: PushedDelivery, reader: RunReader): RunReader {
  const hasBudget = Object.values(budget).some((limit) => limit !== null)
  const bounded = hasBudget
    ? createBudgetReader(reader, budget, ({ sentence }) => life.requestStop({ reason: 'budget', sentence }))
    : reader
  return life.mask ? createMaskedReader(bounded, life.mask) : bounded
}
