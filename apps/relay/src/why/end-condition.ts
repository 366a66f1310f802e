import type { Condition, DeliveryState, RunView } from '@baton/protocol'

type Ended = Pick<RunView, 'id' | 'attempt' | 'deliveryState' | 'expiresAt' | 'ladder' | 'limits'>

/** Why work that nobody cancelled and no agent failed is over all the same, and how to have it done yet. */
export function endCondition(run: Ended): Condition | null {
  const what = whatEnded[run.deliveryState]?.(run)
  if (what === undefined) return null
  return {
    code: run.deliveryState,
    what,
    since: run.ladder.finishedAt,
    unblock: 'Mend what it says, if anything, then run it again.',
    command: `baton runs again ${run.id}`,
  }
}

const whatEnded: Partial<Record<DeliveryState, (run: Ended) => string>> = {
  dead: ({ attempt, limits }) =>
    `It has used up its attempts (${attempt} of ${limits.maxAttempts}) and is not tried again by itself.`,
  expired: ({ expiresAt }) =>
    `Its time to live ended${expiresAt === null ? '' : ` at ${new Date(expiresAt).toISOString().slice(0, 19).replace('T', ' ')} UTC`}, so it is not started any more.`,
}
