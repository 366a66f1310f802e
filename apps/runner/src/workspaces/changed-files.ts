import { execFile } from 'node:child_process'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What a repository's working tree looked like: its commit, and a fingerprint of each file that differs from it. */
export type TreeSnapshot = { root: string; commit: string | null; dirty: Record<string, string> }

const MOST_FILES = 5_000
const LIMIT_MS = 5_000

/** Null when the folder is in no git repository, or its state cannot be told cheaply. */
export async function takeSnapshot(folder: string): Promise<TreeSnapshot | null> {
  const top = await git(folder, ['rev-parse', '--show-toplevel'])
  if (top === null) return null
  const root = top.trim()
  const [head, status] = await Promise.all([
    git(folder, ['rev-parse', '--verify', '--quiet', 'HEAD']),
    git(folder, ['status', '--porcelain', '-z', '--untracked-files=all', '--no-renames', '--', '.']),
  ])
  if (status === null) return null
  const entries = status.split('\0').filter((entry) => entry !== '')
  if (entries.length > MOST_FILES) return null
  const dirty: Record<string, string> = {}
  for (const entry of entries) {
    const path = entry.slice(3)
    dirty[path] = `${entry.slice(0, 2)} ${await fingerprint(join(root, path))}`
  }
  return { root, commit: head?.trim() ?? null, dirty }
}

/** How many files differ from the snapshot, committed ones included; null when nobody can tell. */
export async function countChangedFiles(folder: string, before: TreeSnapshot | null): Promise<number | null> {
  if (!before) return null
  const after = await takeSnapshot(folder)
  if (!after || after.root !== before.root) return null
  const changed = new Set<string>()
  for (const path of new Set([...Object.keys(before.dirty), ...Object.keys(after.dirty)]))
    if (before.dirty[path] !== after.dirty[path]) changed.add(path)
  if (after.commit !== null && after.commit !== before.commit) {
    const range = before.commit === null ? [after.commit] : [before.commit, after.commit]
    const names = await git(folder, [
      'diff-tree',
      '-r',
      '--root',
      '--name-only',
      '--no-commit-id',
      '-z',
      ...range,
    ])
    if (names === null) return null
    for (const path of names.split('\0')) if (path !== '') changed.add(path)
  }
  return changed.size
}

async function fingerprint(path: string): Promise<string> {
  try {
    const { size, mtimeMs, mode } = await lstat(path)
    return `${size} ${mtimeMs} ${mode}`
  } catch {
    return 'gone'
  }
}

/** Nothing that the repository's own configuration names is executed, and no lock of it is taken. */
async function git(folder: string, args: string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(
      'git',
      ['-C', folder, '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args],
      {
        timeout: LIMIT_MS,
        maxBuffer: 4 * 1024 * 1024,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, GIT_OPTIONAL_LOCKS: '0' },
      },
    )
    return stdout
  } catch {
    return null
  }
}
