import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunId } from '@baton/protocol'
import { readTextFile, writePrivateFile } from '../../config/private-file.ts'

/** The folders of a profile that worktrees live in. Agents may write in `trees` and in the repositories, never in `records`. */
export type WorktreeFolders = { trees: string; records: string; repositories: string }

/** What the runner knows about a worktree that it made. It never asks the worktree itself, which its agent could change. */
export type WorktreeRecord = {
  runId: RunId
  agentKey: string
  jobKey: string | null
  /** As it was asked for: an absolute folder or a URL. */
  repository: string
  /** The git directory that holds the branch: the user's own repository, or the runner's copy of a remote one. */
  commonDir: string
  /** The working tree; null once its folder was removed and only the branch is kept. */
  folder: string | null
  /** The worktree's own git directory, inside `commonDir`. */
  admin: string | null
  branch: string
  base: string
  createdAt: number
  /** null: it is being made, or its run goes on. */
  endedAt: number | null
  /** It holds other repositories, whose content is on no branch of this one. */
  hasNested: boolean
  /** It was undone: its branch is kept as `refs/baton/undo/<run>` alone. */
  isUndone?: boolean
}

export function recordFile(folders: WorktreeFolders, runId: string): string {
  return join(folders.records, `${runId}.json`)
}

export async function readWorktree(folders: WorktreeFolders, runId: string): Promise<WorktreeRecord | null> {
  const text = await readTextFile(recordFile(folders, runId))
  return text === null ? null : (JSON.parse(text) as WorktreeRecord)
}

export function writeWorktree(folders: WorktreeFolders, record: WorktreeRecord): Promise<void> {
  return writePrivateFile(recordFile(folders, record.runId), JSON.stringify(record), { durable: true })
}

export async function forgetWorktree(folders: WorktreeFolders, runId: string): Promise<void> {
  await rm(recordFile(folders, runId), { force: true })
}

/** Newest first. */
export async function listWorktrees(folders: WorktreeFolders): Promise<WorktreeRecord[]> {
  const names = await readdir(folders.records).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const ids = names.flatMap((name) => /^(run_[0-9a-f]{32})\.json$/.exec(name)?.[1] ?? [])
  const records = await Promise.all(ids.map((id) => readWorktree(folders, id)))
  return records.filter((record) => record !== null).toSorted((one, other) => other.createdAt - one.createdAt)
}
