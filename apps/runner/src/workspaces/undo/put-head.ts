import type { Moment } from '../changes/record-changes.ts'
import { type Repository, readHead } from '../find-repository.ts'
import { git, gitText, OFFLINE, SAFE_OPTIONS } from '../git.ts'
import type { Blocked } from './plan-undo.ts'

type Head = Pick<Moment, 'commit' | 'branch'>

/** Why the checked-out branch cannot be moved from one moment to the other; null when it can, or is there already. */
export async function headProblem(repository: Repository, from: Head, to: Head): Promise<Blocked | null> {
  const now = await readHead(repository)
  if (isSame(now, to) || (isSame(now, from) && (await canSwitch(repository, from, to)))) return null
  const name = shortName(isSame(now, from) ? to.branch : now.branch)
  const why =
    now.branch === from.branch
      ? 'the branch has other commits since'
      : 'another branch or commit is checked out since'
  return { path: name, why }
}

/**
 * Moves the checked-out branch, or what is checked out. What the commits were is kept under `keepRef`, so that none of
 * them can be thrown away by git. No hook is started. Nothing in the working tree is touched.
 */
export async function putHead(
  repository: Repository,
  from: Head,
  to: Head,
  keepRef: string | null,
): Promise<void> {
  const now = await readHead(repository)
  const nothing = '0'.repeat((from.commit ?? to.commit ?? '').length || 40)
  if (keepRef !== null && from.commit !== null && from.commit !== to.commit)
    await refs(repository, 'update-ref', keepRef, from.commit)
  if (isSame(now, to)) return
  if (from.branch !== to.branch) {
    if (to.branch !== null) await refs(repository, 'symbolic-ref', 'HEAD', to.branch)
    else await refs(repository, 'update-ref', '--no-deref', 'HEAD', to.commit ?? '')
    return
  }
  const ref = to.branch ?? 'HEAD'
  if (to.commit === null) await refs(repository, 'update-ref', '-d', ref, from.commit ?? '')
  else await refs(repository, 'update-ref', '-m', 'baton: undo', ref, to.commit, from.commit ?? nothing)
}

/** To another branch only while that still is where the run left or found it. */
async function canSwitch(repository: Repository, from: Head, to: Head): Promise<boolean> {
  if (from.branch === to.branch || to.branch === null) return true
  const args = ['rev-parse', '--verify', '--quiet', to.branch]
  const answer = await git([...SAFE_OPTIONS, `--git-dir=${repository.gitDir}`, ...args], {
    cwd: repository.root,
    env: OFFLINE,
  })
  return answer.ok && answer.stdout.toString('latin1').trim() === to.commit
}

function refs(repository: Repository, ...args: string[]): Promise<string> {
  return gitText([...SAFE_OPTIONS, `--git-dir=${repository.gitDir}`, ...args], {
    cwd: repository.root,
    env: OFFLINE,
  })
}

const isSame = (one: Head, other: Head) => one.commit === other.commit && one.branch === other.branch

const shortName = (branch: string | null) => branch?.replace(/^refs\/heads\//, '') ?? 'HEAD'
