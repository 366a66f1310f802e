import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunChanges, RunEventBody } from '@baton/protocol'
import { readRecord, recordAfter, recordBefore } from '../workspaces/changes/record-changes.ts'
import { endWorktree, recordWorktreeBefore } from '../workspaces/worktrees/end-worktree.ts'
import { removeWorktree } from '../workspaces/worktrees/remove-worktree.ts'
import { readWorktree, type WorktreeRecord } from '../workspaces/worktrees/worktree-record.ts'
import type { RunLife } from './run-life.ts'

/** Notes how the workspace stands before the agent starts. What cannot be told is not known; the run goes on without. */
export async function noteBefore(life: RunLife, cwd: string, worktree: WorktreeRecord | null): Promise<void> {
  const folder = changesFolder(life)
  try {
    if (worktree) await recordWorktreeBefore(folder, worktree)
    else await recordBefore(folder, cwd)
  } catch (error) {
    life.logger.warn({ error }, 'How the workspace stood before the run could not be noted.')
    await rm(folder, { recursive: true, force: true })
  }
}

/** What the run changed, after all its processes are gone; null when nobody can tell. */
export async function findChanges(life: RunLife): Promise<RunChanges | null> {
  const folder = changesFolder(life)
  const { folders } = life.context.worktrees
  try {
    const worktree = await readWorktree(folders, life.lease.runId)
    if (worktree) return await endWorktree(folders, worktree, folder)
    const changes = await recordAfter(folder)
    if (changes && !changes.undoable) await rm(folder, { recursive: true, force: true })
    return changes
  } catch (error) {
    life.logger.warn({ error }, 'What the run changed could not be told.')
    return null
  }
}

/** A worktree that was made for a run whose agent never started. */
export async function dropUnusedWorktree(life: RunLife): Promise<void> {
  const { folders } = life.context.worktrees
  const worktree = await readWorktree(folders, life.lease.runId)
  if (!worktree || worktree.endedAt !== null) return
  if (await readRecord(changesFolder(life))) await endWorktree(folders, worktree, changesFolder(life))
  else await removeWorktree(folders, worktree)
}

export function changesEvent(changes: RunChanges | null): RunEventBody[] {
  if (!changes || changes.filesChanged + changes.commits.length === 0) return []
  const { filesChanged, insertions, deletions, branch } = changes
  return [{ type: 'changes', filesChanged, insertions, deletions, branch }]
}

function changesFolder({ context, lease }: RunLife): string {
  return join(context.changesFolder, lease.runId)
}
