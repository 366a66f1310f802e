import type { RunId, UndoKind } from '@baton/protocol'
import { gitText, OFFLINE, SAFE_OPTIONS } from '../git.ts'
import { refused, type UndoResult } from '../undo/undo-in-place.ts'
import { checkOutWorktree } from './create-worktree.ts'
import { findCommit } from './find-commit.ts'
import { judgeWorktree } from './judge-worktree.ts'
import { removeWorktreeFolder } from './remove-worktree.ts'
import type { RepositoryTurns } from './repository-turns.ts'
import { readWorktree, type WorktreeFolders, type WorktreeRecord, writeWorktree } from './worktree-record.ts'

/**
 * Takes a run's worktree and branch away and keeps the tip under `refs/baton/undo/`; a redo makes both again from there.
 * Refused while files were changed in it after its run ended, because those are on no branch.
 */
export async function undoWorktree(
  folders: WorktreeFolders,
  turns: RepositoryTurns,
  runId: RunId,
  kind: UndoKind,
  dryRun: boolean,
): Promise<UndoResult> {
  const record = await readWorktree(folders, runId)
  if (!record) return refused('The worktree of that run was removed already; what was merged of it stays.')
  const keepRef = `refs/baton/undo/${runId}`
  return kind === 'undo'
    ? await takeAway(folders, record, keepRef, dryRun)
    : await bringBack(folders, turns, record, keepRef, dryRun)
}

async function takeAway(
  folders: WorktreeFolders,
  record: WorktreeRecord,
  keepRef: string,
  dryRun: boolean,
): Promise<UndoResult> {
  const { state, files } = await judgeWorktree(record)
  if (state === 'undone') return done(`It is undone already; its commits are kept as ${keepRef}.`)
  if (state === 'in_use') return refused('Its run goes on. Stop it first.')
  if (state === 'nested')
    return refused(`${record.folder} holds other repositories, which would be lost. Move them away first.`)
  if (state === 'dirty') {
    const blocked = files.map((path) => ({ path, why: 'it was changed after the run ended' }))
    const message =
      'Nothing was removed: files in the worktree are on no branch. Commit them, or remove them.'
    return { state: 'refused', message, files: [], blocked: blocked.slice(0, 2_000) }
  }
  const tip = await findCommit(record.commonDir, [record.branch])
  const shown = record.branch.replace('refs/heads/', '')
  if (dryRun)
    return done(`Would remove the worktree and the branch ${shown}, and keep its tip as ${keepRef}.`)
  if (tip !== null) await refs(record, ['update-ref', keepRef, tip])
  await removeWorktreeFolder(folders, record)
  if (tip !== null) await refs(record, ['update-ref', '-d', record.branch, tip])
  await writeWorktree(folders, { ...record, folder: null, admin: null, isUndone: true })
  return done(`Removed the worktree and the branch ${shown}. Its commits stay reachable as ${keepRef}.`)
}

async function bringBack(
  folders: WorktreeFolders,
  turns: RepositoryTurns,
  record: WorktreeRecord,
  keepRef: string,
  dryRun: boolean,
): Promise<UndoResult> {
  if (!record.isUndone) return done('It is there already.')
  const tip = await findCommit(record.commonDir, [keepRef])
  if (tip === null) return refused(`${keepRef} is not there any more, so the branch cannot be made again.`)
  const shown = record.branch.replace('refs/heads/', '')
  if (dryRun) return done(`Would make the worktree and the branch ${shown} again.`)
  const made = await checkOutWorktree(folders, turns, record, tip, AbortSignal.timeout(600_000))
  if ('errorKind' in made) return refused(made.message)
  const { isUndone: _, ...back } = made
  await writeWorktree(folders, back)
  await refs(record, ['update-ref', '-d', keepRef, tip])
  return done(`Made the worktree ${back.folder} and the branch ${shown} again.`)
}

function refs({ commonDir }: WorktreeRecord, args: string[]): Promise<string> {
  return gitText([...SAFE_OPTIONS, `--git-dir=${commonDir}`, ...args], { cwd: commonDir, env: OFFLINE })
}

const done = (message: string): UndoResult => ({ state: 'done', message, files: [], blocked: [] })
