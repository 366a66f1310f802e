import type { Turn } from './turn.ts'

/** An account that is used up is free again after this long. */
export const QUOTA_MS = 3_600_000

/**
 * Whether a 429 of this turn means a used-up account, which is free again after QUOTA_MS: one that is to last does, one
 * that happens only so many times is too many requests at once.
 */
export function isUsedUp(status: number, { steps }: Turn): boolean {
  if (status !== 429) return false
  return steps.some((step) => step.kind === 'fail' && step.status === 429 && step.times === Infinity)
}
