import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BytePath } from '../changes/byte-path.ts'
import type { PrivateGit } from '../changes/private-git.ts'

/**
 * Gives the repository's index, for these paths and for those that the run staged, the entries that it had at the other
 * moment. Entries that somebody changed since, of other paths than these, stay. Takes git's own lock.
 */
export async function putIndex(
  git: PrivateGit,
  gitDir: string,
  from: string,
  to: string,
  paths: ReadonlySet<BytePath>,
): Promise<void> {
  const [was, will, now] = await Promise.all([
    readIndex(git, from),
    readIndex(git, to),
    readIndex(git, join(gitDir, 'index')),
  ])
  const nothing = `0 ${'0'.repeat(git.hash === 'sha1' ? 40 : 64)}`
  const removals: string[] = []
  const additions: string[] = []
  for (const path of new Set([...was.keys(), ...will.keys(), ...paths])) {
    const isStaged = was.get(path) !== will.get(path) && now.get(path) === was.get(path)
    if (!isStaged && !paths.has(path)) continue
    if (now.get(path) === will.get(path)) continue
    removals.push(`${nothing}\t${path}\0`)
    for (const entry of will.get(path)?.split('\n') ?? []) additions.push(`${entry}\t${path}\0`)
  }
  if (removals.length === 0) return
  await git.text(['update-index', '-z', '--replace', '--index-info'], {
    input: Buffer.from([...removals, ...additions].join(''), 'latin1'),
    env: { GIT_INDEX_FILE: join(gitDir, 'index') },
  })
}

/** By path: `mode id stage`, one line each; several for a conflict. */
async function readIndex(git: PrivateGit, file: string): Promise<Map<BytePath, string>> {
  const entries = new Map<BytePath, string>()
  if (!(await stat(file).catch(() => null))) return entries
  const text = await git.text(['ls-files', '-z', '--stage'], {
    env: { GIT_INDEX_FILE: file },
    maxBytes: 256 * 1024 * 1024,
  })
  for (const line of text.split('\0')) {
    const tab = line.indexOf('\t')
    if (tab === -1) continue
    const [entry, path] = [line.slice(0, tab), line.slice(tab + 1)]
    const known = entries.get(path)
    entries.set(path, known === undefined ? entry : `${known}\n${entry}`)
  }
  return entries
}
