import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MOST_COMMITS, type RunChanges } from '@baton/protocol'
import { makePrivateFolder, readTextFile, writePrivateFile } from '../../config/private-file.ts'
import { findRepository, type Repository, readHead } from '../find-repository.ts'
import { compareSnapshots } from './compare-snapshots.ts'
import { createPrivateGit, openPrivateGit, type PrivateGit } from './private-git.ts'
import {
  PLAIN_BOUNDS,
  SNAPSHOT_BOUNDS,
  type Snapshot,
  type SnapshotBounds,
  takeSnapshot,
} from './take-snapshot.ts'
import type { HashName } from './write-blob.ts'

/** How a workspace stood before a run, and after it: enough to compare the two, and to put one back for the other. */
export type Moment = { snapshot: Snapshot; commit: string | null; branch: string | null; at: number }
export type Before = Moment & {
  root: string
  scope: string
  repository: Repository | null
  hash: HashName
  /** Where content is kept when that is not the record's own folder. */
  objects: string | null
}
export type ChangesRecord = { before: Before; after: Moment | null }

/** Longer than this nobody waits for a comparison: the run then says that it is not known. */
const LIMIT_MS = 20_000

export const changesFiles = (folder: string) => ({
  record: join(folder, 'record.json'),
  git: join(folder, 'git'),
  indexBefore: join(folder, 'index.before'),
  indexAfter: join(folder, 'index.after'),
})

/**
 * Notes how the workspace stands, right before its run's agent starts. `folder` is the run's own, outside the workspace,
 * and begins anew. `objects`: where content goes for a working tree that is the runner's own. Throws when it cannot be told.
 */
export async function recordBefore(
  folder: string,
  workspace: string,
  options: { objects?: string; bounds?: SnapshotBounds } = {},
): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await makePrivateFolder(folder)
  const files = changesFiles(folder)
  const signal = AbortSignal.timeout(LIMIT_MS)
  const repository = await findRepository(workspace)
  const root = repository?.root ?? workspace
  const git = await createPrivateGit(files.git, root, repository, options)
  await copyFile(git.index, files.indexBefore).catch(unlessMissing)
  const bounds = options.bounds ?? (repository ? SNAPSHOT_BOUNDS : PLAIN_BOUNDS)
  const [snapshot, head] = await Promise.all([
    takeSnapshot(git, workspace, { isPlain: repository === null, bounds, signal }),
    repository ? readHead(repository) : { commit: null, branch: null },
  ])
  const { hash } = git
  const objects = options.objects ?? null
  const before: Before = {
    root,
    scope: workspace,
    repository,
    hash,
    objects,
    snapshot,
    ...head,
    at: Date.now(),
  }
  await writeRecord(folder, { before, after: null })
}

/**
 * What the run changed, once all its processes are gone. The record is kept for an undo, unless nothing changed. Null when
 * nobody could tell how the workspace stood before. Throws when it cannot be told how it stands now.
 */
export async function recordAfter(folder: string, bounds?: SnapshotBounds): Promise<RunChanges | null> {
  const record = await readRecord(folder)
  if (!record) return null
  const { before } = record
  const signal = AbortSignal.timeout(LIMIT_MS)
  const git = openRecordGit(folder, before)
  const isPlain = before.repository === null
  const [snapshot, head] = await Promise.all([
    takeSnapshot(git, before.scope, {
      isPlain,
      bounds: bounds ?? (isPlain ? PLAIN_BOUNDS : SNAPSHOT_BOUNDS),
      signal,
      unkept: before.snapshot.unkept,
    }),
    before.repository ? readHead(before.repository) : { commit: null, branch: null },
  ])
  const compared = await compareSnapshots(git, before.snapshot, snapshot, signal)
  const commits = await listCommits(git, before, head.commit, signal)
  const after: Moment = { snapshot, ...head, at: Date.now() }
  const hasChanged = compared.filesChanged + commits.length > 0
  if (before.repository)
    await copyFile(join(before.repository.gitDir, 'index'), changesFiles(folder).indexAfter).catch(
      unlessMissing,
    )
  await writeRecord(folder, { before, after })
  const { isWhole, ...facts } = compared
  return {
    repository: before.root,
    baseCommit: before.commit,
    headCommit: head.commit,
    branch: head.branch?.replace(/^refs\/heads\//, '').slice(0, 300) ?? null,
    worktree: null,
    commits,
    ...facts,
    undoable: isWhole && hasChanged,
  }
}

export function openRecordGit(folder: string, before: Before): PrivateGit {
  const objects = before.objects ? [before.objects] : []
  return openPrivateGit(changesFiles(folder).git, before.root, before.hash, ...objects)
}

/** Null when there is none, or only what a killed runner left of it. */
export async function readRecord(folder: string): Promise<ChangesRecord | null> {
  const text = await readTextFile(changesFiles(folder).record)
  return text === null ? null : (JSON.parse(text) as ChangesRecord)
}

function writeRecord(folder: string, record: ChangesRecord): Promise<void> {
  return writePrivateFile(changesFiles(folder).record, JSON.stringify(record))
}

/** Commits on the checked-out branch that were made since; those that were only fetched or checked out are older. */
async function listCommits(
  git: PrivateGit,
  before: Before,
  head: string | null,
  signal: AbortSignal,
): Promise<RunChanges['commits']> {
  if (head === null || head === before.commit) return []
  const range = before.commit === null ? [head] : [head, `^${before.commit}`]
  const args = ['log', '-z', '--no-show-signature', '--no-color', '--format=%H %ct %s', `-n${MOST_COMMITS}`]
  const text = Buffer.from(await git.text([...args, ...range, '--'], { signal }), 'latin1').toString('utf8')
  const since = Math.floor(before.at / 1_000)
  return text.split('\0').flatMap((line) => {
    const match = /^(\S+) (\d+) ([\s\S]*)$/.exec(line)
    if (!match || Number(match[2]) < since) return []
    return [{ id: match[1] ?? '', subject: (match[3] ?? '').slice(0, 200) }]
  })
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
