import {
  type Connection,
  type Deleted,
  deleteOldIdempotencyKeys,
  deleteOutlived,
  listRetentionGroups,
  type RetentionGroup,
} from '@baton/db'
import { type Clock, createPollLoop, type Logger, type Service, systemClock } from '@baton/service'

/** Small enough that a batch holds its locks for some ten milliseconds. */
const BATCH = { events: 100, rows: 2_000 }
const GROUPS = 500
const EVERY_MS = 10 * 60_000
const PAUSE_MS = 200

export type RetentionOptions = { everyMs?: number; pauseMs?: number; batch?: typeof BATCH; clock?: Clock }

export type RetentionService = Service & {
  /** What this process has deleted since it started. */
  counts(): Deleted
}

/**
 * Deletes what jobs and organizations keep no longer (packages/db/src/retention/), in small batches with a pause after
 * each. Any number of relays do this at the same time; what one holds, the others leave out.
 */
export function createRetention(
  parts: { connection: Connection; log: Logger },
  options: RetentionOptions = {},
): RetentionService {
  const { everyMs = EVERY_MS, pauseMs = PAUSE_MS, batch = BATCH, clock = systemClock } = options
  const total = nothing()

  async function pass(signal: AbortSignal) {
    await deleteOldKeys(signal)
    let after: string | null = null
    do {
      const page = await listRetentionGroups(parts.connection.db, { after, limit: GROUPS })
      for (const group of page.groups) {
        if (signal.aborted) return
        await deleteFrom(group, signal)
      }
      after = page.next
    } while (after !== null && !signal.aborted)
  }

  async function deleteOldKeys(signal: AbortSignal) {
    let deleted: number
    do deleted = await deleteOldIdempotencyKeys(parts.connection.db, batch.rows)
    while (deleted === batch.rows && !signal.aborted)
  }

  async function deleteFrom(group: RetentionGroup, signal: AbortSignal) {
    const deleted = nothing()
    for (let done = false; !done && !signal.aborted; ) {
      const step = await deleteOutlived(parts.connection.db, group, batch)
      add(deleted, step)
      add(total, step)
      done = step.done
      if (!done) await clock.sleep(pauseMs, signal).catch(() => {})
    }
    if (deleted.events + deleted.runEvents > 0) {
      parts.log.info(
        { organization: group.organizationId, job: group.jobId, ...deleted },
        'deleted what is kept no longer',
      )
    }
  }

  const loop = createPollLoop({
    everyMs,
    jitter: 0.2,
    run: pass,
    onError: (error) => parts.log.warn({ error }, 'retention failed; it goes on with its next pass'),
    clock,
  })
  return { start: () => loop.start(), stop: () => loop.stop(), counts: () => ({ ...total }) }
}

const nothing = (): Deleted => ({ events: 0, deliveries: 0, runs: 0, runEvents: 0 })

function add(sum: Deleted, step: Deleted) {
  sum.events += step.events
  sum.deliveries += step.deliveries
  sum.runs += step.runs
  sum.runEvents += step.runEvents
}
