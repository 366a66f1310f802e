import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A worktree's own git directory inside its repository, found by the folder that it names; null when there is none. */
export async function findAdmin(commonDir: string, folder: string): Promise<string | null> {
  const parent = join(commonDir, 'worktrees')
  const names = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const name of names) {
    const text = await readFile(join(parent, name, 'gitdir'), 'utf8').catch(() => null)
    if (text?.trim() === join(folder, '.git')) return join(parent, name)
  }
  return null
}
