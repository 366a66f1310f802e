import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** One look at a tree: below it, with slashes, each file with what tells that it has changed. */
export type Look = Map<string, string>

/** A tree with more files is looked at in part. */
export const LOOKED_AT_FILES = 50_000

/** Sizes, times and inodes of a tree's files. Links are not followed. Rejects when the folder itself cannot be read. */
export async function lookAtFolder(
  folder: string,
  isIgnored: (path: string) => boolean,
): Promise<{ look: Look; isWhole: boolean }> {
  const look: Look = new Map()
  const waiting = ['']
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    for (const entry of await entriesOf(join(folder, below), below === '')) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (isIgnored(entry.isDirectory() ? `${path}/x` : path)) continue
      if (entry.isDirectory()) waiting.push(path)
      else if (look.size >= LOOKED_AT_FILES) return { look, isWhole: false }
      else if (entry.isFile()) {
        const mark = await fileMark(join(folder, path))
        if (mark !== null) look.set(path, mark)
      }
    }
  }
  return { look, isWhole: true }
}

/** What tells that a file has changed; null when there is none. */
export async function fileMark(path: string): Promise<string | null> {
  const facts = await lstat(path).catch(() => null)
  return facts?.isFile() ? `${facts.ino} ${facts.size} ${facts.mtimeMs}` : null
}

/** What was made, changed or deleted between two looks. */
export function changedBetween(before: Look, now: Look): string[] {
  const changed = [...now].filter(([path, mark]) => before.get(path) !== mark).map(([path]) => path)
  for (const path of before.keys()) if (!now.has(path)) changed.push(path)
  return changed
}

/** A folder that went away meanwhile has nothing in it; without the root nothing can be said. */
async function entriesOf(folder: string, isRoot: boolean): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isRoot) throw error
    return []
  }
}
