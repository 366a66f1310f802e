import { mkdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isRepositoryUrl, type RunId } from '@baton/protocol'
import { makePrivateFolder } from '../../config/private-file.ts'
import { findBareRepository, findRepository, readSettings } from '../find-repository.ts'
import { git, OFFLINE, SAFE_OPTIONS } from '../git.ts'
import { findAdmin } from './find-admin.ts'
import { findCommit, namesOf } from './find-commit.ts'
import { gitProblem, type WorkspaceProblem, workspaceProblem } from './git-problem.ts'
import { removeWorktree, removeWorktreeFolder } from './remove-worktree.ts'
import type { RepositoryCache } from './repository-cache.ts'
import type { RepositoryTurns } from './repository-turns.ts'
import { readWorktree, type WorktreeFolders, type WorktreeRecord, writeWorktree } from './worktree-record.ts'

export type WantedWorktree = {
  runId: RunId
  agentKey: string
  jobKey: string | null
  repository: string
  ref: string | null
}

const CHECKOUT_MS = 10 * 60_000

/** Where the worktree of a run will be, known before it is made. */
export function worktreeFolder(
  folders: WorktreeFolders,
  wanted: Pick<WantedWorktree, 'runId' | 'agentKey' | 'repository'>,
): string {
  const name = basename(wanted.repository.replace(/[/:]+$/, '').replaceAll(':', '/')).replace(/\.git$/, '')
  const safe = name.replace(/[^\w.-]/g, '-').replace(/^[.-]+/, '') || 'work'
  return join(folders.trees, wanted.agentKey, wanted.runId, safe)
}

/**
 * Makes a worktree of its own for one run, on a new branch at the commit that the ref names now. A local repository keeps
 * its own branches, index and working tree as they are; a remote one is copied once and fetched before each run. What a
 * killed runner left of an earlier try goes first. No hook and no filter of a local repository's own settings is started.
 */
export async function createWorktree(
  folders: WorktreeFolders,
  { cache, turns }: { cache: RepositoryCache; turns: RepositoryTurns },
  wanted: WantedWorktree,
  signal: AbortSignal,
): Promise<WorktreeRecord | WorkspaceProblem> {
  const earlier = await readWorktree(folders, wanted.runId)
  if (earlier) await removeWorktree(folders, earlier)
  const source = isRepositoryUrl(wanted.repository)
    ? await cache.fetch(wanted.repository, wanted.ref, signal)
    : await findLocal(wanted)
  if ('errorKind' in source) return source
  const record: WorktreeRecord = {
    runId: wanted.runId,
    agentKey: wanted.agentKey,
    jobKey: wanted.jobKey,
    repository: wanted.repository,
    commonDir: source.commonDir,
    folder: worktreeFolder(folders, wanted),
    admin: null,
    branch: `refs/heads/baton/${wanted.jobKey ?? wanted.agentKey}/${wanted.runId.slice(-12)}`,
    base: source.commit,
    createdAt: Date.now(),
    endedAt: null,
    hasNested: false,
  }
  await writeWorktree(folders, record)
  return await checkOutWorktree(folders, turns, record, record.base, signal)
}

/** Makes folder and branch of a worktree whose record stands, at this commit. Nothing is left of it when that fails. */
export async function checkOutWorktree(
  folders: WorktreeFolders,
  turns: RepositoryTurns,
  record: WorktreeRecord,
  commit: string,
  signal: AbortSignal,
): Promise<WorktreeRecord | WorkspaceProblem> {
  const folder = worktreeFolder(folders, record)
  await rm(dirname(folder), { recursive: true, force: true })
  await makePrivateFolder(dirname(folder))
  const problem = await checkOut({ ...record, folder }, folder, commit, turns, signal)
  if (problem) {
    if (record.isUndone) await removeWorktreeFolder(folders, { ...record, folder })
    else await removeWorktree(folders, { ...record, folder })
    return problem
  }
  const made = { ...record, folder, admin: await findAdmin(record.commonDir, folder) }
  await writeWorktree(folders, made)
  return made
}

async function findLocal(
  wanted: WantedWorktree,
): Promise<{ commonDir: string; commit: string } | WorkspaceProblem> {
  const { repository: folder, ref } = wanted
  const found = (await findBareRepository(folder)) ?? (await findRepository(folder).catch(() => null))
  if (!found)
    return workspaceProblem(
      `The workspace ${folder} is in no git repository on this machine: give a folder that is, or the folder itself without "worktree:".`,
    )
  const commit = await findCommit(ref === null ? found.gitDir : found.commonDir, namesOf(ref, false))
  if (commit !== null) return { commonDir: found.commonDir, commit }
  return workspaceProblem(
    ref === null
      ? `The repository ${found.root} has no commit yet: make one, then run it again.`
      : `The repository ${found.root} has no branch, tag or commit "${ref}": give one that is there, or fetch it first.`,
  )
}

/** First the entry without files, which is quick and one at a time, then the files. */
async function checkOut(
  record: WorktreeRecord,
  folder: string,
  commit: string,
  turns: RepositoryTurns,
  signal: AbortSignal,
): Promise<WorkspaceProblem | null> {
  const { commonDir, branch, repository } = record
  const doing = `Making a worktree of ${repository}`
  const options = { cwd: commonDir, env: OFFLINE, limitMs: CHECKOUT_MS, signal }
  const quiet = [...SAFE_OPTIONS, ...(await withoutOwnFilters(commonDir)), '-c', 'gc.auto=0']
  const name = branch.replace('refs/heads/', '')
  const add = ['worktree', 'add', '--quiet', '--no-checkout', '--no-track', '-b', name, folder, commit]
  const added = await turns.take(commonDir, () => git([...quiet, `--git-dir=${commonDir}`, ...add], options))
  if (!added.ok) return gitProblem(doing, repository, added)
  await mkdir(folder, { recursive: true })
  const out = await git(
    [...quiet, '-C', folder, 'reset', '--hard', '--quiet', '--no-recurse-submodules'],
    options,
  )
  return out.ok ? null : gitProblem(doing, repository, out)
}

/** Filters that the repository's own settings define would run as this user; those of the user's settings stay. */
async function withoutOwnFilters(commonDir: string): Promise<string[]> {
  const settings = await readSettings({ root: commonDir, gitDir: commonDir, commonDir })
  const names = settings.flatMap(({ name, local }) => {
    const driver = local ? /^filter\.(.+)\.(clean|smudge|process|required)$/.exec(name)?.[1] : undefined
    return driver === undefined || driver.includes('=') ? [] : [driver]
  })
  return [...new Set(names)].flatMap((driver) =>
    ['clean=', 'smudge=', 'process=', 'required=false'].flatMap((rest) => ['-c', `filter.${driver}.${rest}`]),
  )
}
