import { sep } from 'node:path'
import type { LiveRun } from '../runs/runs.ts'
import type { OwnRuns } from './gather-changes.ts'

/** What a run wrote just before its end is told of a little later. */
const AFTERWARDS_MS = 2_000

/** Remembers when each job was last at work here. `note` is called whenever a run moves on. */
export function createOwnRuns(now: () => number = () => performance.now()): OwnRuns & {
  note(live: readonly LiveRun[]): void
  /** What an earlier runner left: these runs may have worked while no runner was there. */
  resumed(live: readonly LiveRun[]): void
} {
  let left: LiveRun[] = []
  let working: LiveRun[] = []
  const endedAt = new Map<string, number>()
  return {
    note(live) {
      const next = live.filter(({ phase }) => phase === 'accepted' || phase === 'running')
      const jobs = new Set(next.map((run) => run.jobId))
      for (const { jobId } of working) if (jobId && !jobs.has(jobId)) endedAt.set(jobId, now())
      for (const [jobId, at] of endedAt) if (now() - at > AFTERWARDS_MS) endedAt.delete(jobId)
      working = next
    },
    resumed(live) {
      left = [...live]
    },
    wasOwn: (jobId) => left.some((run) => run.jobId === jobId),
    isOwn(jobId) {
      if (working.some((run) => run.jobId === jobId)) return true
      return now() - (endedAt.get(jobId) ?? Number.NEGATIVE_INFINITY) <= AFTERWARDS_MS
    },
    runIn: (folder, missed = false) =>
      (missed ? left : working).find(
        ({ workspace }) => workspace !== null && (isIn(workspace, folder) || isIn(folder, workspace)),
      )?.runId ?? null,
  }
}

const isIn = (folder: string, parent: string) => folder === parent || folder.startsWith(`${parent}${sep}`)
