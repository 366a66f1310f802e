import { type Db, listRunEvents } from '@baton/db'
import type { EncodedRunEvent, RunId } from '@baton/protocol'
import type { Transcripts } from '../runs/transcripts.ts'
import type { Hints } from './hints.ts'
import { createWatchedRun, LOOK_EVERY_MS, type WatchedRun } from './watched-run.ts'

export type RunFeed = {
  /**
   * Batches of a run's events after `afterSeq`: stored ones first, then live ones, without a gap or a repeat. `ended`
   * is asked when there is nothing more, by one viewer for all; once it says yes and nothing came meanwhile, the feed ends.
   */
  after(
    runId: RunId,
    afterSeq: number,
    options: { signal: AbortSignal; ended: () => Promise<boolean> },
  ): AsyncGenerator<EncodedRunEvent[]>
  stop(): void
}

const PAGE_BYTES = 256 * 1024

/**
 * Follows transcripts. Viewers pull by cursor: from what this relay stored or read a moment ago while they keep up (one
 * copy in memory for any number of them), else from the database in pages, so that a slow one costs no memory.
 */
export function createRunFeed(db: Db, transcripts: Transcripts, hints: Hints): RunFeed {
  const watched = new Map<RunId, WatchedRun>()
  const stopHearing = [
    transcripts.onAppend(({ runId, fromSeq, texts }) =>
      watched.get(runId)?.remember(texts.map((text, index) => ({ seq: fromSeq + index, text }))),
    ),
    hints.on('run', (runId) => watched.get(runId as RunId)?.wake()),
    hints.onResync(wakeAll),
  ]

  function wakeAll() {
    for (const run of watched.values()) run.wake()
  }

  function watch(runId: RunId, ended: () => Promise<boolean>): WatchedRun {
    const before = watched.get(runId)
    if (before) return before
    const find = (afterSeq: number, limit: number) =>
      listRunEvents(db, runId, { afterSeq, limit, maxBytes: PAGE_BYTES })
    const run = createWatchedRun(find, ended)
    watched.set(runId, run)
    return run
  }

  async function* after(
    runId: RunId,
    afterSeq: number,
    options: { signal: AbortSignal; ended: () => Promise<boolean> },
  ): AsyncGenerator<EncodedRunEvent[]> {
    const run = watch(runId, options.ended)
    let changed = Promise.withResolvers<void>()
    const viewer = () => changed.resolve()
    run.viewers.add(viewer)
    options.signal.addEventListener('abort', viewer, { once: true })
    try {
      let cursor = afterSeq
      let endedAt: number | null = null
      while (!options.signal.aborted) {
        changed = Promise.withResolvers<void>()
        const items = await run.after(cursor, endedAt ?? 0)
        const last = items.at(-1)
        if (last) {
          cursor = last.seq
          yield items
          continue
        }
        if (endedAt !== null) return
        endedAt = await run.endedAt()
        if (endedAt === null) await waitFor(changed.promise, LOOK_EVERY_MS)
      }
    } finally {
      run.viewers.delete(viewer)
      options.signal.removeEventListener('abort', viewer)
      if (run.viewers.size === 0 && watched.get(runId) === run) watched.delete(runId)
    }
  }

  return {
    after,
    stop() {
      for (const stop of stopHearing) stop()
      wakeAll()
    },
  }
}

async function waitFor(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
