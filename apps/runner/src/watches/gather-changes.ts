import { join } from 'node:path'
import { contentMark } from './content-mark.ts'
import type { WatchIndex } from './watch-index.ts'

/** Which runs of this machine work where, as a watch needs to know it. */
export type OwnRuns = {
  /** A run of this job is at work, or ended a moment ago: what changes now is its doing. */
  isOwn(jobId: string): boolean
  /** A run of this job may have worked here while no runner was there. */
  wasOwn(jobId: string): boolean
  /**
   * The run that works in this folder or around it, of whatever job: what changes there it has caused. `missed`: one that
   * may have worked there while no runner was there.
   */
  runIn(folder: string, missed?: boolean): string | null
}

/** `missed`: some of it changed while no runner was there. */
export type GatheredChanges = { paths: string[]; overflow: boolean; cause: string | null; missed: boolean }

export type Gatherer = {
  changed(paths: readonly string[], overflow: boolean, missed?: boolean): void
  /** Tells of what has gathered, quiet or not, and ends. */
  stop(): Promise<void>
}

/** A folder that never is quiet fires all the same after this many quiet periods, and after a minute at least. */
const LONGEST = { periods: 10, ms: 60_000 }
const MARKS = 20_000

/**
 * Gathers changes until a folder has been quiet, and tells of those that a run of the job did not make itself. What its
 * own run left behind is remembered by content, so that a late or repeated notice of it is none; and a file that was
 * only touched fires nothing.
 */
export function gatherChanges(
  watch: { folder: string; jobId: string; quietMs: number },
  runs: OwnRuns,
  /** Resolves when they are on the disk. */
  onQuiet: (changes: GatheredChanges) => unknown,
  onError: (error: unknown) => void,
  /** Keeps what was told, for a later runner. */
  index?: Pick<WatchIndex, 'marks' | 'note' | 'renew'>,
): Gatherer {
  let waiting = new Map<string, { isOwn: boolean; cause: string | null; missed: boolean }>()
  let overflow = false
  let since = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let looking: Promise<void> = Promise.resolve()
  const marks = new Map<string, string>()

  function arm() {
    clearTimeout(timer)
    if (stopped) return
    const latest = since + Math.max(LONGEST.ms, LONGEST.periods * watch.quietMs)
    const wait = Math.max(0, Math.min(watch.quietMs, latest - performance.now()))
    timer = setTimeout(() => {
      const before = looking
      looking = look()
        .catch(onError)
        .then(() => before)
    }, wait)
  }

  async function look() {
    const due = [...waiting]
    const isLost = overflow
    waiting = new Map()
    overflow = false
    const news: string[] = []
    let cause: string | null = null
    let missed = false
    const files = await index?.marks(due.map(([path]) => path))
    for (const [path, change] of due) {
      const mark = await contentMark(join(watch.folder, path))
      const isNew = marks.get(path) !== mark
      remember(path, mark)
      if (change.isOwn || !isNew) continue
      news.push(path)
      cause ??= change.cause
      missed ||= change.missed
    }
    if (stopped) return
    if (news.length > 0 || isLost) await onQuiet({ paths: news.sort(), overflow: isLost, cause, missed })
    if (isLost) await index?.renew()
    else if (files) await index?.note(files)
  }

  function remember(path: string, mark: string) {
    marks.delete(path)
    marks.set(path, mark)
    if (marks.size > MARKS) marks.delete(marks.keys().next().value as string)
  }

  return {
    changed(paths, isLost, missed = false) {
      if (waiting.size === 0 && !overflow) since = performance.now()
      const isOwn = runs.isOwn(watch.jobId) || (missed && runs.wasOwn(watch.jobId))
      const cause = isOwn ? null : runs.runIn(watch.folder, missed)
      for (const path of paths) {
        if (waiting.size < MARKS || waiting.has(path)) waiting.set(path, { isOwn, cause, missed })
        else overflow ||= !isOwn
      }
      overflow ||= isLost && !isOwn
      arm()
    },
    async stop() {
      clearTimeout(timer)
      await looking
      if (waiting.size > 0 || overflow) await look().catch(onError)
      stopped = true
      clearTimeout(timer)
    },
  }
}
