import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { WorktreeRecord } from '../workspaces/worktrees/worktree-record.ts'

/**
 * What an isolated agent may do with the repository of its workspace: commit, and nothing that would later run outside of
 * the sandbox. A repository's settings and hooks run as soon as its owner uses git there, so they are `fixed`. Of somebody's
 * own repository a worktree's agent writes objects and its own branches alone.
 */
export async function gitPaths(
  cwd: string,
  worktree: WorktreeRecord | null,
): Promise<{ readable: string[]; writable: string[]; fixed: string[] }> {
  const gitDir = worktree?.commonDir ?? join(cwd, '.git')
  if (!(await stat(gitDir).catch(() => null))?.isDirectory()) return { readable: [], writable: [], fixed: [] }
  // Where there is no folder of hooks yet, the agent could make one.
  await mkdir(join(gitDir, 'hooks'), { recursive: true })
  const fixed = ['config', 'config.worktree', 'hooks'].map((name) => join(gitDir, name))
  if (worktree === null) return { readable: [], writable: [], fixed }
  const isCopy = gitDir.endsWith('.git') && dirname(gitDir) !== cwd && !gitDir.endsWith('/.git')
  const refs = isCopy ? ['refs', 'logs'] : ['refs/heads/baton', 'logs/refs/heads/baton']
  const writable = ['objects', ...refs].map((name) => join(gitDir, name))
  for (const folder of writable) await mkdir(folder, { recursive: true })
  return { readable: [gitDir], writable: [...writable, ...(worktree.admin ? [worktree.admin] : [])], fixed }
}
