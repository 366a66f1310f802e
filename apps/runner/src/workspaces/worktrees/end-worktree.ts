import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunChanges } from '@baton/protocol'
import type { PrivateGit } from '../changes/private-git.ts'
import { openRecordGit, readRecord, recordAfter, recordBefore } from '../changes/record-changes.ts'
import { type SnapshotBounds, statOf } from '../changes/take-snapshot.ts'
import { readHead } from '../find-repository.ts'
import { gitText, OFFLINE, SAFE_OPTIONS } from '../git.ts'
import { findCommit } from './find-commit.ts'
import { removeWorktree } from './remove-worktree.ts'
import { type WorktreeFolders, type WorktreeRecord, writeWorktree } from './worktree-record.ts'

/** Everything that a run leaves uncommitted is committed, so hardly anything is too much. */
export const WORKTREE_BOUNDS: SnapshotBounds = { files: 100_000, fileBytes: 2 ** 31, bytes: 2 ** 34 }

/** Notes how a new worktree stands. Its content goes where its commits go. */
export function recordWorktreeBefore(folder: string, record: WorktreeRecord): Promise<void> {
  const workspace = record.folder
  if (workspace === null) throw new Error('The worktree has no folder.')
  return recordBefore(folder, workspace, {
    objects: join(record.commonDir, 'objects'),
    bounds: WORKTREE_BOUNDS,
  })
}

/**
 * After the run's processes are gone: commits what it left uncommitted onto its branch, says what it changed, and removes
 * the worktree when that is nothing. `changesFolder` is where `recordWorktreeBefore` noted how it stood.
 *
 * The worktree's own git directory may have been changed by the agent, so it is not asked for anything but HEAD.
 */
export async function endWorktree(
  folders: WorktreeFolders,
  record: WorktreeRecord,
  changesFolder: string,
): Promise<RunChanges | null> {
  const changes = await recordAfter(changesFolder, WORKTREE_BOUNDS)
  const noted = await readRecord(changesFolder)
  if (!changes || !noted?.after || record.folder === null) {
    await writeWorktree(folders, { ...record, endedAt: Date.now() })
    return changes
  }
  const git = openRecordGit(changesFolder, noted.before)
  const tip = await commitLeftovers(git, record, noted.after)
  const ended = { ...record, endedAt: Date.now(), hasNested: await holdsRepositories(git) }
  const unkept = Object.keys(noted.after.snapshot.unkept).length > 0
  const isUnchanged = tip === record.base && changes.filesChanged === 0 && !unkept && !ended.hasNested
  if (isUnchanged) await removeWorktree(folders, ended)
  else await writeWorktree(folders, ended)
  return {
    ...changes,
    repository: record.repository,
    baseCommit: record.base,
    headCommit: tip,
    branch: record.branch.replace('refs/heads/', ''),
    worktree: isUnchanged ? null : record.folder,
    commits: tip === record.base ? [] : await listCommits(git, record.base, tip),
    undoable: !isUnchanged,
  }
}

/** The tip of the run's branch, with everything on it that the working tree or its HEAD has. */
async function commitLeftovers(
  git: PrivateGit,
  record: WorktreeRecord,
  after: { snapshot: { tree: string }; commit: string | null },
): Promise<string> {
  const { commonDir, branch, base } = record
  const tip = (await findCommit(commonDir, [branch])) ?? base
  const head = after.commit ?? tip
  const tree = (await git.text(['rev-parse', `${head}^{tree}`])).trim()
  const isOnBranch = head === tip || (await git.ask(['merge-base', '--is-ancestor', head, tip])).ok
  if (tree === after.snapshot.tree && isOnBranch && head === tip) return tip
  if (tree === after.snapshot.tree && (await git.ask(['merge-base', '--is-ancestor', tip, head])).ok) {
    await moveBranch(record, tip, head)
    return head
  }
  const parents = [...new Set([tip, head])].flatMap((id) => ['-p', id])
  const message = `Keep what the run left uncommitted\n\nBaton-Run: ${record.runId}\nAgent: ${record.agentKey}\n`
  const made = await git.text(['commit-tree', ...parents, after.snapshot.tree], {
    input: message,
    env: IDENTITY,
  })
  const commit = made.trim()
  await moveBranch(record, tip, commit)
  await freshenIndex(git, record)
  return commit
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Baton',
  GIT_AUTHOR_EMAIL: 'baton@localhost',
  GIT_COMMITTER_NAME: 'Baton',
  GIT_COMMITTER_EMAIL: 'baton@localhost',
}

async function moveBranch({ commonDir, branch }: WorktreeRecord, from: string, to: string): Promise<void> {
  const args = [`--git-dir=${commonDir}`, 'update-ref', '-m', 'baton: the run ended', branch, to]
  const isThere = (await findCommit(commonDir, [branch])) !== null
  await gitText([...SAFE_OPTIONS, ...args, ...(isThere ? [from] : [])], { cwd: commonDir, env: OFFLINE })
}

/** So that a person who looks into the worktree later sees it as it is: clean, on its branch. */
async function freshenIndex(git: PrivateGit, { admin, branch, commonDir, folder }: WorktreeRecord) {
  if (admin === null || folder === null) return
  const { branch: at } = await readHead({ root: folder, gitDir: admin, commonDir })
  if (at !== branch) return
  await copyFile(git.index, join(admin, 'index.baton'))
  await rename(join(admin, 'index.baton'), join(admin, 'index'))
}

/** Repositories inside the worktree, checked out or made there, whose content is on no branch of this one. */
async function holdsRepositories(git: PrivateGit): Promise<boolean> {
  const [others, staged] = await Promise.all([
    git.text(['ls-files', '-z', '--others', '--exclude-standard']),
    git.text(['ls-files', '-z', '--stage']),
  ])
  if (others.split('\0').some((path) => path.endsWith('/'))) return true
  for (const line of staged.split('\0'))
    if (line.startsWith('160000 ') && (await statOf(git.root, `${line.slice(line.indexOf('\t') + 1)}/.git`)))
      return true
  return false
}

async function listCommits(git: PrivateGit, base: string, tip: string): Promise<RunChanges['commits']> {
  const args = [
    'log',
    '-z',
    '--no-show-signature',
    '--no-color',
    '--format=%H %s',
    '-n200',
    tip,
    `^${base}`,
    '--',
  ]
  const text = Buffer.from(await git.text(args), 'latin1').toString('utf8')
  return text.split('\0').flatMap((line) => {
    const match = /^(\S+) ([\s\S]*)$/.exec(line)
    return match ? [{ id: match[1] ?? '', subject: (match[2] ?? '').slice(0, 200) }] : []
  })
}
