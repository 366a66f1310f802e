import { type Db, findQueueFigures, type QueueFigures } from '@baton/db'
import type { Logger } from '@baton/service'
import { withinTime } from '../live/within-time.ts'

const ANSWER_WITHIN_MS = 2_000
const FRESH_MS = 2_000

/** The figures of the database, read at most once in two seconds whoever asks; null while it does not answer. */
export function createQueueFiguresReader(db: Db, log: Logger): () => Promise<QueueFigures | null> {
  let last: { at: number; figures: Promise<QueueFigures | null> } | null = null

  async function read(): Promise<QueueFigures | null> {
    try {
      return await withinTime(findQueueFigures(db), ANSWER_WITHIN_MS)
    } catch (error) {
      log.warn({ error }, 'the figures of the queue could not be read for /metrics')
      return null
    }
  }

  return () => {
    if (!last || performance.now() - last.at > FRESH_MS) last = { at: performance.now(), figures: read() }
    return last.figures
  }
}
