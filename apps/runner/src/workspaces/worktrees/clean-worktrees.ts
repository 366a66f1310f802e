import { judgeWorktree, type WorktreeState } from './judge-worktree.ts'
import { removeWorktree, removeWorktreeFolder } from './remove-worktree.ts'
import { listWorktrees, type WorktreeFolders, type WorktreeRecord } from './worktree-record.ts'

export type JudgedWorktree = { record: WorktreeRecord; state: WorktreeState }
export type CleanedWorktree = JudgedWorktree & {
  /** removed: folder and branch. folder_removed: the branch is kept, and everything is on it. kept: nothing was done. */
  action: 'removed' | 'folder_removed' | 'kept'
}

export async function judgeWorktrees(folders: WorktreeFolders): Promise<JudgedWorktree[]> {
  const judged: JudgedWorktree[] = []
  for (const record of await listWorktrees(folders))
    judged.push({ record, state: await judgeWorktree(record) })
  return judged
}

/**
 * Removes worktrees of which nothing would be lost. What is only there stays: its folder too, unless its run ended longer
 * than `keepFolderMs` ago and all of it is on the branch. `force` removes everything whose run is over, with what is lost.
 */
export async function cleanWorktrees(
  folders: WorktreeFolders,
  options: { now: number; keepFolderMs: number | null; force: boolean; dryRun: boolean },
): Promise<CleanedWorktree[]> {
  const cleaned: CleanedWorktree[] = []
  for (const { record, state } of await judgeWorktrees(folders)) {
    const action = actionFor(record, state, options)
    if (!options.dryRun && action === 'removed') await removeWorktree(folders, record)
    if (!options.dryRun && action === 'folder_removed') await removeWorktreeFolder(folders, record)
    cleaned.push({ record, state, action })
  }
  return cleaned
}

function actionFor(
  record: WorktreeRecord,
  { state }: WorktreeState,
  { now, keepFolderMs, force }: { now: number; keepFolderMs: number | null; force: boolean },
): CleanedWorktree['action'] {
  if (state === 'in_use') return 'kept'
  if (force || state === 'empty' || state === 'reachable' || state === 'lost') return 'removed'
  const isOld = keepFolderMs !== null && now - (record.endedAt ?? now) > keepFolderMs
  return state === 'only_here' && isOld && record.folder !== null ? 'folder_removed' : 'kept'
}
