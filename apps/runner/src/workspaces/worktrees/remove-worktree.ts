import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { git, OFFLINE, SAFE_OPTIONS } from '../git.ts'
import { findAdmin } from './find-admin.ts'
import { findCommit } from './find-commit.ts'
import {
  forgetWorktree,
  type WorktreeFolders,
  type WorktreeRecord,
  writeWorktree,
} from './worktree-record.ts'

/** Removes a worktree with its branch. Whether anything is lost by that is for the caller to know. */
export async function removeWorktree(folders: WorktreeFolders, record: WorktreeRecord): Promise<void> {
  await removeFolder(record)
  const tip = await findCommit(record.commonDir, [record.branch])
  if (tip !== null) {
    const args = [`--git-dir=${record.commonDir}`, 'update-ref', '-d', record.branch, tip]
    const answer = await git([...SAFE_OPTIONS, ...args], { cwd: record.commonDir, env: OFFLINE })
    if (!answer.ok) throw new Error(`the branch ${record.branch} cannot be removed: ${answer.stderr}`)
  }
  await forgetWorktree(folders, record.runId)
}

/** Removes only the folder. Everything that its branch holds stays there. */
export async function removeWorktreeFolder(folders: WorktreeFolders, record: WorktreeRecord): Promise<void> {
  await removeFolder(record)
  await writeWorktree(folders, { ...record, folder: null, admin: null })
}

async function removeFolder({ folder, admin, commonDir }: WorktreeRecord): Promise<void> {
  if (folder === null) return
  const own = admin ?? (await findAdmin(commonDir, folder))
  await rm(dirname(folder), { recursive: true, force: true })
  if (own !== null && dirname(own) === join(commonDir, 'worktrees'))
    await rm(own, { recursive: true, force: true })
}
