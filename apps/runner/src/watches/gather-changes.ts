import { join } from 'node:path'
import { contentMark } from './content-mark.ts'

/** Which runs of this machine work where, as a watch needs to know it. */
export type OwnRuns = {
  /** A run of this job is at work, or ended a moment ago: what changes now is its doing. */
  isOwn(jobId: string): boolean
  /** The run that works in this folder or around it, of whatever job: what changes there it has caused. */
  runIn(folder: string): string | null
}

export type GatheredChanges = { paths: string[]; overflow: boolean; cause: string | null }

export type Gatherer = {
  changed(paths: readonly string[], overflow: boolean): void
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
  onQuiet: (changes: GatheredChanges) => void,
  onError: (error: unknown) => void,
): Gatherer {
  let waiting = new Map<string, { isOwn: boolean; cause: string | null }>()
  let overflow = false
  let since = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const marks = new Map<string, string>()

  function arm() {
    clearTimeout(timer)
    if (stopped) return
    const latest = since + Math.max(LONGEST.ms, LONGEST.periods * watch.quietMs)
    const wait = Math.max(0, Math.min(watch.quietMs, latest - performance.now()))
    timer = setTimeout(() => void look().catch(onError), wait)
  }

  async function look() {
    const due = [...waiting]
    const isLost = overflow
    waiting = new Map()
    overflow = false
    const news: string[] = []
    let cause: string | null = null
    for (const [path, change] of due) {
      const mark = await contentMark(join(watch.folder, path))
      const isNew = marks.get(path) !== mark
      remember(path, mark)
      if (change.isOwn || !isNew) continue
      news.push(path)
      cause ??= change.cause
    }
    if (stopped || (news.length === 0 && !isLost)) return
    onQuiet({ paths: news.sort(), overflow: isLost, cause })
  }

  function remember(path: string, mark: string) {
    marks.delete(path)
    marks.set(path, mark)
    if (marks.size > MARKS) marks.delete(marks.keys().next().value as string)
  }

  return {
    changed(paths, isLost) {
      if (waiting.size === 0 && !overflow) since = performance.now()
      const isOwn = runs.isOwn(watch.jobId)
      const cause = isOwn ? null : runs.runIn(watch.folder)
      for (const path of paths) {
        if (waiting.size < MARKS || waiting.has(path)) waiting.set(path, { isOwn, cause })
        else overflow ||= !isOwn
      }
      overflow ||= isLost && !isOwn
      arm()
    },
    async stop() {
      clearTimeout(timer)
      if (waiting.size > 0 || overflow) await look().catch(onError)
      stopped = true
      clearTimeout(timer)
    },
  }
}
