import { type Db, listRunEvents } from '@baton/db'
import type { EncodedRunEvent, RunId } from '@baton/protocol'
import type { Transcripts } from '../runs/transcripts.ts'
import type { Hints } from './hints.ts'

export type RunFeed = {
  /**
   * Batches of a run's events after `afterSeq`: stored ones first, then live ones, without a gap or a repeat. `ended`
   * is asked when there is nothing more; once it says yes and nothing came meanwhile, the feed ends.
   */
  after(
    runId: RunId,
    afterSeq: number,
    options: { signal: AbortSignal; ended: () => Promise<boolean> },
  ): AsyncGenerator<EncodedRunEvent[]>
  stop(): void
}

/** A watched run's newest events, kept by reference for all its viewers. */
type Watched = { recent: EncodedRunEvent[]; bytes: number; viewers: Set<() => void> }

const RECENT_BYTES = 1024 * 1024
const PAGE_BYTES = 256 * 1024
const PAGE_EVENTS = 2_000
/** Another relay may have stored something and its hint got lost. */
const LOOK_EVERY_MS = 5_000

/**
 * Follows transcripts. Viewers pull by cursor: from what this relay stored a moment ago while they keep up (one copy in
 * memory for any number of them), else from the database in pages, so that a slow one costs no memory.
 */
export function createRunFeed(db: Db, transcripts: Transcripts, hints: Hints): RunFeed {
  const watched = new Map<RunId, Watched>()
  const stopHearing = [
    transcripts.onAppend(({ runId, fromSeq, texts }) => {
      const run = watched.get(runId)
      if (run) remember(run, fromSeq, texts)
    }),
    hints.on('run', (runId) => wake(runId as RunId)),
    hints.onResync(() => {
      for (const runId of watched.keys()) wake(runId)
    }),
  ]

  function wake(runId: RunId) {
    for (const viewer of watched.get(runId)?.viewers ?? []) viewer()
  }

  async function* after(
    runId: RunId,
    afterSeq: number,
    options: { signal: AbortSignal; ended: () => Promise<boolean> },
  ): AsyncGenerator<EncodedRunEvent[]> {
    const run = watched.get(runId) ?? { recent: [], bytes: 0, viewers: new Set<() => void>() }
    watched.set(runId, run)
    let changed = Promise.withResolvers<void>()
    const viewer = () => changed.resolve()
    run.viewers.add(viewer)
    options.signal.addEventListener('abort', viewer, { once: true })
    try {
      let cursor = afterSeq
      let isOver = false
      while (!options.signal.aborted) {
        changed = Promise.withResolvers<void>()
        const items = recentAfter(run, cursor) ?? (await listRunEvents(db, runId, page(cursor)))
        const last = items.at(-1)
        if (last) {
          cursor = last.seq
          yield items
          continue
        }
        if (isOver) return
        isOver = await options.ended()
        if (!isOver) await waitFor(changed.promise, LOOK_EVERY_MS)
      }
    } finally {
      run.viewers.delete(viewer)
      options.signal.removeEventListener('abort', viewer)
      if (run.viewers.size === 0) watched.delete(runId)
    }
  }

  return {
    after,
    stop() {
      for (const stop of stopHearing) stop()
      for (const runId of watched.keys()) wake(runId)
    },
  }
}

const page = (afterSeq: number) => ({ afterSeq, limit: PAGE_EVENTS, maxBytes: PAGE_BYTES })

function remember(run: Watched, fromSeq: number, texts: string[]) {
  const newest = run.recent.at(-1)
  if (newest && newest.seq !== fromSeq - 1) {
    run.recent = []
    run.bytes = 0
  }
  texts.forEach((text, index) => {
    run.recent.push({ seq: fromSeq + index, text })
    run.bytes += text.length
  })
  let drop = 0
  while (run.bytes > RECENT_BYTES && drop < run.recent.length)
    run.bytes -= run.recent[drop++]?.text.length ?? 0
  if (drop > 0) run.recent = run.recent.slice(drop)
}

/** Null when memory does not reach back to the cursor, or does not go beyond it: then the database is asked. */
function recentAfter(run: Watched, cursor: number): EncodedRunEvent[] | null {
  const first = run.recent[0]
  const last = run.recent.at(-1)
  if (!first || !last || first.seq > cursor + 1 || last.seq <= cursor) return null
  return run.recent.slice(cursor + 1 - first.seq, cursor + 1 - first.seq + PAGE_EVENTS)
}

async function waitFor(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
