import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createPollLoop } from '@baton/service'

/** One look at a tree: below it, with slashes, each file with what tells that it has changed. */
type Look = Map<string, string>

const FILES = 50_000

/**
 * Watches a tree by looking at it again and again: sizes, times and inodes. For network file systems and where there is no
 * watcher for this system. Links are not followed. A tree with too many files is looked at in part, and that is said.
 */
export async function pollFolder(
  folder: string,
  options: {
    everyMs: number
    isIgnored: (path: string) => boolean
    onChange: (paths: string[], overflow: boolean) => void
    onError: (error: unknown) => void
  },
): Promise<{ stop(): Promise<void> }> {
  let { look: before, isWhole } = await lookAt(folder, options.isIgnored)
  const loop = createPollLoop({
    everyMs: options.everyMs,
    jitter: 0.1,
    onError: options.onError,
    async run() {
      const now = await lookAt(folder, options.isIgnored)
      const changed = difference(before, now.look)
      const overflow = !now.isWhole && isWhole
      before = now.look
      isWhole = now.isWhole
      if (changed.length > 0 || overflow) options.onChange(changed, overflow)
    },
  })
  await loop.start()
  return { stop: () => loop.stop() }
}

function difference(before: Look, now: Look): string[] {
  const changed = [...now].filter(([path, mark]) => before.get(path) !== mark).map(([path]) => path)
  for (const path of before.keys()) if (!now.has(path)) changed.push(path)
  return changed
}

async function lookAt(
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
      else if (look.size >= FILES) return { look, isWhole: false }
      else if (entry.isFile()) {
        const facts = await lstat(join(folder, path)).catch(() => null)
        if (facts) look.set(path, `${facts.ino} ${facts.size} ${facts.mtimeMs}`)
      }
    }
  }
  return { look, isWhole: true }
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
