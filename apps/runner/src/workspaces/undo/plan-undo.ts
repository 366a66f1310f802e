import { lstat } from 'node:fs/promises'
import { type BytePath, toText, under } from '../changes/byte-path.ts'
import { type RawChange, readRaw } from '../changes/compare-snapshots.ts'
import type { PrivateGit } from '../changes/private-git.ts'
import { statOf } from '../changes/take-snapshot.ts'
import { type BlobEntry, hashFile } from '../changes/write-blob.ts'

/** One path that is to be put back. `to` null: nothing was there. */
export type PutBack = { path: BytePath; to: { mode: string; id: string } | null }
export type Blocked = { path: string; why: string }
export type FilePlan = { put: PutBack[]; blocked: Blocked[] }

const SUBMODULE = '160000'
const NOTHING = '000000'
const AT_ONCE = 8

/**
 * Which files have to be written to lead from one tree to the other. A file that is neither as the first tree has it nor
 * already as the second has was changed by somebody else since: it blocks, and so does one that git stores through a
 * filter, because its real content is not in the tree.
 */
export async function planFiles(git: PrivateGit, fromTree: string, toTree: string): Promise<FilePlan> {
  const raw = await git.text(['diff-tree', '-r', '-z', '--raw', '--no-renames', fromTree, toTree])
  const changes = readRaw(raw).filter(
    ({ before, after }) => before.mode !== SUBMODULE && after.mode !== SUBMODULE,
  )
  const filtered = await listFiltered(git, changes)
  const plan: FilePlan = { put: [], blocked: [] }
  async function judge(change: RawChange) {
    const now = await entryNow(git, change.path)
    if (isSame(now, change.after)) return
    const why = filtered.has(change.path)
      ? 'git stores it through a filter, so its content is not known here'
      : isSame(now, change.before)
        ? null
        : describe(now, change)
    if (why !== null) plan.blocked.push({ path: toText(change.path), why })
    else plan.put.push({ path: change.path, to: change.after.mode === NOTHING ? null : change.after })
  }
  const queue = changes.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const change of queue) await judge(change)
    }),
  )
  await blockMisplaced(git, plan)
  const byPath = (one: { path: string }, other: { path: string }) => (one.path < other.path ? -1 : 1)
  return { put: plan.put.toSorted(byPath), blocked: plan.blocked.toSorted(byPath) }
}

/** A file cannot come back where something that stays stands in the place of its folder. */
async function blockMisplaced(git: PrivateGit, plan: FilePlan): Promise<void> {
  const going = new Set(plan.put.flatMap(({ path, to }) => (to === null ? [path] : [])))
  const stands = new Map<BytePath, Promise<boolean>>()
  const isInTheWay = (folder: BytePath) =>
    lstat(under(git.root, folder)).then(
      (found) => !found.isDirectory() && !going.has(folder),
      () => false,
    )
  for (const one of plan.put.filter(({ to }) => to !== null)) {
    const parts = one.path.split('/').slice(0, -1)
    for (const [count] of parts.entries()) {
      const folder = parts.slice(0, count + 1).join('/')
      const found = stands.get(folder) ?? isInTheWay(folder)
      stands.set(folder, found)
      if (!(await found)) continue
      plan.put = plan.put.filter((other) => other !== one)
      plan.blocked.push({ path: toText(one.path), why: `${toText(folder)} is not a folder any more` })
      break
    }
  }
}

async function entryNow(git: PrivateGit, path: BytePath): Promise<BlobEntry | 'other' | null> {
  const stat = await statOf(git.root, path)
  if (stat === null || stat.isDirectory()) return null
  return (await hashFile(git.hash, under(git.root, path), stat)) ?? 'other'
}

function isSame(now: BlobEntry | 'other' | null, entry: RawChange['before']): boolean {
  if (entry.mode === NOTHING) return now === null
  return now !== null && now !== 'other' && now.mode === entry.mode && now.id === entry.id
}

function describe(now: BlobEntry | 'other' | null, change: RawChange): string {
  if (now === null) return 'it was deleted since'
  return change.before.mode === NOTHING ? 'it was made again since' : 'it was changed since'
}

/** Paths that have a filter by the attributes in the working tree; the filter itself is not started. */
async function listFiltered(git: PrivateGit, changes: RawChange[]): Promise<Set<BytePath>> {
  if (changes.length === 0) return new Set()
  const input = Buffer.from(changes.map(({ path }) => `${path}\0`).join(''), 'latin1')
  const parts = (await git.text(['check-attr', '-z', '--stdin', 'filter'], { input })).split('\0')
  const filtered = new Set<BytePath>()
  for (let at = 0; at + 2 < parts.length; at += 3)
    if (!['unspecified', 'unset', ''].includes(parts[at + 2] ?? '')) filtered.add(parts[at] ?? '')
  return filtered
}
