import { join } from 'node:path'
import { createRepositoryCache, type RepositoryCache } from './repository-cache.ts'
import { createRepositoryTurns, type RepositoryTurns } from './repository-turns.ts'
import type { WorktreeFolders } from './worktree-record.ts'

export type Worktrees = { folders: WorktreeFolders; repositories: RepositoryCache; turns: RepositoryTurns }

/** Where worktrees of a profile lie; what agents can write is apart from what the runner believes. */
export function worktreeFolders(folder: string): WorktreeFolders {
  return {
    trees: join(folder, 'trees'),
    records: join(folder, 'records'),
    repositories: join(folder, 'repositories'),
  }
}

export function createWorktrees(folder: string): Worktrees {
  const folders = worktreeFolders(folder)
  return {
    folders,
    repositories: createRepositoryCache(folders.repositories),
    turns: createRepositoryTurns(),
  }
}
