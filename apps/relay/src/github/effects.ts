import { type Db, deleteOldGithubRows, queueGithubEffects } from '@baton/db'
import { createPollLoop, type Logger, type PollLoop } from '@baton/service'

const EVERY_MS = 1_000
const ROWS = 200
const CLEAN_EVERY_MS = 3_600_000

/**
 * Every second: what GitHub should be told next becomes dispatches of the ledger, which sends them. It looks at how
 * deliveries stand and not at what happened to them, so nothing is missed when a relay was away.
 */
export function createGithubEffects(deps: { db: Db; log: Logger; wakeDispatcher: () => void }): PollLoop {
  let cleanedAt = performance.now()
  return createPollLoop({
    everyMs: EVERY_MS,
    jitter: 0.1,
    run: async () => {
      const queued = await queueGithubEffects(deps.db, ROWS)
      if (queued.length > 0) deps.wakeDispatcher()
      if (performance.now() - cleanedAt < CLEAN_EVERY_MS) return
      cleanedAt = performance.now()
      await deleteOldGithubRows(deps.db)
    },
    onError: (error) =>
      deps.log.warn({ error }, 'what GitHub should be told could not be queued; the next try is in a second'),
  })
}
