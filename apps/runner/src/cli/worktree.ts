import { BatonError } from '@baton/protocol'
import {
  type CleanedWorktree,
  cleanWorktrees,
  type JudgedWorktree,
  judgeWorktrees,
} from '../workspaces/worktrees/clean-worktrees.ts'
import { worktreeFolders } from '../workspaces/worktrees/create-worktrees.ts'
import type { WorktreeState } from '../workspaces/worktrees/judge-worktree.ts'
import { confirm } from './confirm.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { ago, shortId, table } from './text.ts'

const foldersOf = async (session: Session) => worktreeFolders((await session.paths()).worktreesFolder)

/** `baton worktree list`: the worktrees that runs on this machine left, and what would be lost with each. */
export async function listWorktrees(session: Session): Promise<void> {
  const judged = await judgeWorktrees(await foldersOf(session))
  session.print({ items: judged.map(toItem) }, () =>
    table(
      ['run', 'agent', 'branch', 'ended', 'state', 'folder'],
      judged.map(({ record, state }) => [
        shortId(record.runId),
        printable(record.agentKey),
        printable(record.branch.replace('refs/heads/', '')),
        record.endedAt === null ? '' : ago(record.endedAt),
        stateText(state),
        printable(record.folder ?? '(only the branch is kept)'),
      ]),
      session.out,
    ),
  )
  if (judged.length === 0)
    session.note(
      'No worktrees. Give a job or a run the workspace "worktree:<folder or URL>" for one of its own.',
    )
}

/** `baton worktree clean`: removes those of which nothing would be lost; with --force all whose run is over. */
export async function clean(
  session: Session,
  _args: string[],
  options: { dryRun?: boolean; force?: boolean },
) {
  const folders = await foldersOf(session)
  const given = { now: Date.now(), keepFolderMs: null, force: options.force === true }
  const planned = await cleanWorktrees(folders, { ...given, dryRun: true })
  const lossy = planned.filter(({ action, state }) => action === 'removed' && isLossy(state))
  if (lossy.length > 0 && !options.dryRun) {
    const commits = lossy.reduce((sum, { state }) => sum + state.commits, 0)
    const files = lossy.reduce((sum, { state }) => sum + state.files.length, 0)
    const what = `${commits} ${commits === 1 ? 'commit' : 'commits'} and ${files} uncommitted ${files === 1 ? 'file' : 'files'}`
    await confirm(session, `${lossy.length} of these are nowhere else: ${what} would be lost. Remove them?`)
  }
  const cleaned = options.dryRun ? planned : await cleanWorktrees(folders, { ...given, dryRun: false })
  session.print(
    {
      dryRun: options.dryRun === true,
      items: cleaned.map((one) => ({ ...toItem(one), action: one.action })),
    },
    () => cleaned.map((one) => cleanedLine(one, options.dryRun === true)).join('\n'),
  )
  if (cleaned.length === 0) session.note('There are no worktrees.')
  const left = cleaned.filter(({ action, state }) => action === 'kept' && isLossy(state)).length
  if (left > 0 && !options.force)
    session.note(
      `${left} kept, because their work is nowhere else: merge or push it, or remove it with --force.`,
    )
}

const isLossy = ({ state }: WorktreeState) => ['only_here', 'dirty', 'nested', 'undone'].includes(state)

function cleanedLine({ record, state, action }: CleanedWorktree, dryRun: boolean): string {
  const word = {
    removed: dryRun ? 'would remove' : 'removed',
    folder_removed: 'folder removed',
    kept: 'kept',
  }[action]
  return `${word.padEnd(13)} ${shortId(record.runId)}  ${printable(record.branch.replace('refs/heads/', ''))}  ${stateText(state)}`
}

function stateText({ state, commits, files, on }: WorktreeState): string {
  const count = `${commits} ${commits === 1 ? 'commit' : 'commits'}`
  switch (state) {
    case 'in_use':
      return 'in use'
    case 'empty':
      return 'nothing on it'
    case 'reachable':
      return `also on ${printable((on ?? '').replace(/^refs\/(heads|remotes)\//, ''))}`
    case 'only_here':
      return `${count} only here`
    case 'dirty':
      return `${files.length} ${files.length === 1 ? 'file' : 'files'} changed since, ${count}`
    case 'nested':
      return 'holds other repositories'
    case 'undone':
      return 'undone; only the kept ref is left'
    case 'lost':
      return 'its repository is gone'
    default:
      throw new BatonError('internal', `unknown state ${state as string}`)
  }
}

function toItem({ record, state }: JudgedWorktree) {
  const { runId, agentKey, jobKey, repository, folder, branch, base, createdAt, endedAt } = record
  const { state: word, commits, files, on } = state
  const shown = branch.replace('refs/heads/', '')
  return {
    runId,
    agentKey,
    jobKey,
    repository,
    folder,
    branch: shown,
    base,
    createdAt,
    endedAt,
    state: word,
    commits,
    files,
    on,
  }
}
