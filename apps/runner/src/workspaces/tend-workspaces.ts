import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createPollLoop, type Logger, type Service } from '@baton/service'
import type { Containers } from '../sandbox/containers.ts'
import { readRecord } from './changes/record-changes.ts'
import { cleanWorktrees } from './worktrees/clean-worktrees.ts'
import { endWorktree } from './worktrees/end-worktree.ts'
import { removeWorktree } from './worktrees/remove-worktree.ts'
import { listWorktrees, type WorktreeFolders } from './worktrees/worktree-record.ts'

const EVERY_MS = 3_600_000
const KEEP_CHANGES = { runs: 50, ms: 14 * 86_400_000 }
const KEEP_FOLDER_MS = 14 * 86_400_000

/**
 * Looks after what runs leave on this machine: worktrees of runs that nobody holds any more are ended, those of which
 * nothing would be lost are removed, and so are old copies for undoing and containers that nobody uses. At the start, before
 * anything new is taken, and every hour.
 */
export function createTending(options: {
  worktrees: WorktreeFolders
  changesFolder: string
  containers: Containers
  /** Runs that this runner holds. */
  held(): ReadonlySet<string>
  logger: Logger
}): Service {
  const { logger, worktrees, changesFolder } = options

  async function attempt(what: string, work: () => Promise<unknown>) {
    try {
      await work()
    } catch (error) {
      logger.error({ error }, `${what} failed; it is tried again later.`)
    }
  }

  async function endOrphans() {
    for (const record of await listWorktrees(worktrees)) {
      if (record.endedAt !== null || options.held().has(record.runId)) continue
      const changes = join(changesFolder, record.runId)
      await attempt(`Ending the worktree of ${record.runId}`, async () => {
        if (await readRecord(changes)) await endWorktree(worktrees, record, changes)
        else await removeWorktree(worktrees, record)
      })
    }
  }

  async function tend() {
    await endOrphans()
    const clean = { now: Date.now(), keepFolderMs: KEEP_FOLDER_MS, force: false, dryRun: false }
    await attempt('Cleaning worktrees', () => cleanWorktrees(worktrees, clean))
    await attempt('Removing old copies of workspaces', () => removeOldChanges(changesFolder, options.held()))
    await attempt('Looking after containers', () => options.containers.tend(options.held(), Date.now()))
  }

  return createPollLoop({
    everyMs: EVERY_MS,
    jitter: 0.1,
    run: tend,
    onError: (error) => logger.error({ error }, 'Looking after workspaces failed.'),
  })
}

async function removeOldChanges(folder: string, held: ReadonlySet<string>): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const dated = await Promise.all(
    names
      .filter((name) => !held.has(name))
      .map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  )
  const newest = dated.toSorted((one, other) => other.at - one.at)
  const old = newest.filter(
    ({ at }, place) => place >= KEEP_CHANGES.runs || Date.now() - at > KEEP_CHANGES.ms,
  )
  for (const { name } of old) await rm(join(folder, name), { recursive: true, force: true })
}
