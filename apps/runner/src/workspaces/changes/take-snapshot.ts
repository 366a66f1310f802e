import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { relative } from 'node:path'
import { type BytePath, under } from './byte-path.ts'
import type { PrivateGit } from './private-git.ts'
import { writeBlob } from './write-blob.ts'

/**
 * What a working tree held at one moment: `tree` has the content of its files, as far as they are under version control or
 * could be. `unkept` are files that are too large to keep, each with what tells a change of it (size, time and mode).
 */
export type Snapshot = { tree: string; unkept: Record<BytePath, string> }

/** How much is read and kept of what git does not know already. */
export type SnapshotBounds = { files: number; fileBytes: number; bytes: number }
export const SNAPSHOT_BOUNDS: SnapshotBounds = {
  files: 5_000,
  fileBytes: 16 * 1024 * 1024,
  bytes: 128 * 1024 * 1024,
}
/** Of a folder without a repository everything is read before each run. */
export const PLAIN_BOUNDS: SnapshotBounds = {
  files: 2_000,
  fileBytes: 4 * 1024 * 1024,
  bytes: 24 * 1024 * 1024,
}

export type TakeOptions = {
  isPlain: boolean
  bounds: SnapshotBounds
  signal: AbortSignal
  /** Files that an earlier snapshot did not keep: this one does not either, so that the two can be compared. */
  unkept?: Record<BytePath, string>
}

const AT_ONCE = 8
/** So many more files than are kept are named with size and time alone. */
const LISTED_PER_KEPT = 10

/**
 * Takes a snapshot of what lies in `scope`, a folder of the working tree, into the private git. Ignored files, submodules
 * and repositories inside are left out. Throws when there is too much to look at, or the signal aborts.
 */
export async function takeSnapshot(git: PrivateGit, scope: string, options: TakeOptions): Promise<Snapshot> {
  const { bounds, signal } = options
  const most = LISTED_PER_KEPT * bounds.files
  const paths = options.isPlain ? await listPlain(git, most, signal) : await listDifferent(git, scope, signal)
  if (paths.length > most)
    throw new Error(`more than ${most} files are new or changed there, or are in no repository`)
  const unkept: Record<BytePath, string> = {}
  const updates = await readAll(git, paths, options, unkept)
  if (updates.length > 0)
    await git.text(['update-index', '-z', '--replace', '--index-info'], {
      input: Buffer.from(updates.join(''), 'latin1'),
      signal,
    })
  const tree = (await git.text(['write-tree', '--missing-ok'], { signal })).trim()
  return { tree, unkept }
}

/** Files that are not as the private index has them, and new ones that nothing ignores. */
async function listDifferent(git: PrivateGit, scope: string, signal: AbortSignal): Promise<BytePath[]> {
  const within = relative(git.root, scope)
  const only = within === '' ? [] : ['--', within]
  const [changed, others] = await Promise.all([
    git.text(['diff-files', '-z', '--name-only', '--ignore-submodules=all', ...only], { signal }),
    git.text(['ls-files', '-z', '--others', '--exclude-standard', ...only], { signal }),
  ])
  const paths = `${changed}${others}`.split('\0').filter((path) => path !== '' && !path.endsWith('/'))
  return [...new Set(paths)]
}

/** Every file of a folder, those known from before first; what belongs to a repository inside is left out. */
async function listPlain(git: PrivateGit, most: number, signal: AbortSignal): Promise<BytePath[]> {
  const found = new Set(await walk(git.root, most, signal))
  const known = (await git.text(['ls-files', '-z'], { signal })).split('\0').filter((path) => path !== '')
  return [...new Set([...known, ...found])]
}

async function walk(root: string, most: number, signal: AbortSignal): Promise<BytePath[]> {
  const found: BytePath[] = []
  const waiting: BytePath[] = ['']
  while (waiting.length > 0) {
    const folder = waiting.pop() as BytePath
    const inside: { path: BytePath; isFolder: boolean }[] = []
    let isRepository = false
    const here = folder === '' ? root : under(root, folder)
    // One character of a name is one byte of it.
    for await (const entry of await opendir(here, { encoding: 'latin1' })) {
      signal.throwIfAborted()
      const { name } = entry
      if (name === '.git') isRepository = true
      const path = folder === '' ? name : `${folder}/${name}`
      inside.push({ path, isFolder: entry.isDirectory() })
      if (inside.length + found.length > most) return inside.map((one) => one.path).concat(found)
    }
    if (isRepository && folder !== '') continue
    for (const { path, isFolder } of inside) {
      if (isFolder) waiting.push(path)
      else found.push(path)
    }
    if (found.length > most) return found
  }
  return found
}

/** Stores what is there now and answers the changes of the index, removals first. */
async function readAll(
  git: PrivateGit,
  paths: BytePath[],
  { bounds, signal, unkept: notBefore = {} }: TakeOptions,
  unkept: Record<BytePath, string>,
): Promise<string[]> {
  const removed: string[] = []
  const added: string[] = []
  const nothing = '0'.repeat(git.hash === 'sha1' ? 40 : 64)
  let [bytes, count] = [0, 0]
  async function readOne(path: BytePath) {
    signal.throwIfAborted()
    const stat = await statOf(git.root, path)
    if (stat?.isDirectory()) return
    const isTooMuch =
      stat?.isFile() &&
      (stat.size > bounds.fileBytes || bytes + stat.size > bounds.bytes || count >= bounds.files)
    if (stat && (isTooMuch || notBefore[path] !== undefined)) {
      unkept[path] = fingerprint(stat)
      return
    }
    bytes += stat?.size ?? 0
    count += 1
    const entry =
      stat && (await writeBlob(git.objects, git.hash, under(git.root, path), stat).catch(unreadable))
    // Stages of a conflict go first: the index has one content for each path.
    removed.push(`0 ${nothing}\t${path}\0`)
    if (entry === 'unreadable') unkept[path] = stat ? fingerprint(stat) : ''
    else if (entry) added.push(`${entry.mode} ${entry.id}\t${path}\0`)
  }
  const queue = paths.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const path of queue) await readOne(path)
    }),
  )
  return [...removed, ...added]
}

function unreadable(error: NodeJS.ErrnoException): null | 'unreadable' {
  if (error.code === 'ENOENT') return null
  if (error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'ELOOP') return 'unreadable'
  throw error
}

/** Null when nothing is there. A path that leads through a link or a file is not there either. */
export async function statOf(root: string, path: BytePath): Promise<Stats | null> {
  const parts = path.split('/')
  for (let count = 1; count < parts.length; count += 1) {
    const folder = await lstat(under(root, parts.slice(0, count).join('/'))).catch(absent)
    if (!folder?.isDirectory()) return null
  }
  return lstat(under(root, path)).catch(absent)
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
  throw error
}

function fingerprint({ size, mtimeMs, mode }: Stats): string {
  return `${size} ${mtimeMs} ${mode}`
}
