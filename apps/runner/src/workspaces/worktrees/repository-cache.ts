import { createHash } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitAnswer, git } from '../git.ts'
import { findCommit, namesOf } from './find-commit.ts'
import { gitProblem, type WorkspaceProblem, workspaceProblem } from './git-problem.ts'

/** The runner's copies of remote repositories: bare, fetched before each run, shared by all their worktrees. */
export type RepositoryCache = {
  /** The copy's git directory with the commit that the ref names now, or what is wrong. */
  fetch(
    url: string,
    ref: string | null,
    signal: AbortSignal,
  ): Promise<{ commonDir: string; commit: string } | WorkspaceProblem>
}

const FETCH_MS = 15 * 60_000
const PROTOCOLS = { GIT_ALLOW_PROTOCOL: 'https:http:ssh:file', SSH_ASKPASS_REQUIRE: 'never' }
/** A line that carries less than this for a minute is given up. */
const STALLED = ['-c', 'http.lowSpeedLimit=1000', '-c', 'http.lowSpeedTime=60']
const OWN = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'gc.autoDetach=false',
  '-c',
  'maintenance.autoDetach=false',
]

export function createRepositoryCache(folder: string): RepositoryCache {
  const copies = new Map<string, { running: Promise<unknown>; next: Promise<GitAnswer> | null }>()

  /**
   * One fetch of a copy at a time. Whoever comes while one runs shares the next one: what it brings is at least as new as
   * their asking.
   */
  function fetchShared(url: string, commonDir: string): Promise<GitAnswer> {
    const copy = copies.get(url) ?? { running: Promise.resolve(), next: null }
    copies.set(url, copy)
    if (copy.next) return copy.next
    const next = copy.running
      .catch(() => undefined)
      .then(() => {
        copy.next = null
        return fetchAll(url, commonDir)
      })
    copy.next = next
    copy.running = next
    return next
  }

  return {
    async fetch(url, ref, signal) {
      const commonDir = join(folder, `${createHash('sha256').update(url).digest('hex').slice(0, 24)}.git`)
      const fetched = await untilAborted(fetchShared(url, commonDir), signal)
      const doing = `Fetching ${url}`
      if (!fetched.ok) return gitProblem(doing, url, fetched)
      const names = namesOf(ref, true)
      let commit = await findCommit(commonDir, names)
      if (commit === null && ref !== null && mayBeFetched(ref)) {
        const one = await fetchRefs(commonDir, [`+${ref}:refs/baton/fetched/${ref}`])
        if (one.ok) commit = await findCommit(commonDir, [`refs/baton/fetched/${ref}`, ...names])
      }
      if (commit !== null) return { commonDir, commit }
      return workspaceProblem(
        ref === null
          ? `${url} has no commit yet: push one, then run it again.`
          : `${url} has no branch, tag or commit "${ref}": give one that is there.`,
      )
    },
  }
}

const mayBeFetched = (ref: string) => ref.startsWith('refs/') || /^[0-9a-f]{40,64}$/.test(ref)

async function fetchAll(url: string, commonDir: string): Promise<GitAnswer> {
  if (!(await stat(join(commonDir, 'HEAD')).catch(() => null))) {
    const made = await makeCopy(url, commonDir)
    if (!made.ok) return made
  }
  const heads = await fetchRefs(commonDir, [
    '+refs/heads/*:refs/remotes/origin/*',
    '+refs/tags/*:refs/tags/*',
  ])
  if (!heads.ok) return heads
  // A repository without a commit has no HEAD to fetch; that its ref is missing is told where it is looked for.
  await fetchRefs(commonDir, ['+HEAD:refs/baton/HEAD'])
  return heads
}

function fetchRefs(commonDir: string, refspecs: string[]): Promise<GitAnswer> {
  const args = [
    'fetch',
    '--quiet',
    '--prune',
    '--no-tags',
    '--no-recurse-submodules',
    '--no-write-fetch-head',
  ]
  return git([...OWN, ...STALLED, `--git-dir=${commonDir}`, ...args, 'origin', ...refspecs], {
    cwd: commonDir,
    limitMs: FETCH_MS,
    env: { ...PROTOCOLS, GIT_SSH_COMMAND: sshCommand() },
  })
}

/** The user's own way to ssh, which may not ask for anything. */
function sshCommand(): string {
  return `${process.env.GIT_SSH_COMMAND ?? 'ssh'} -oBatchMode=yes`
}

/** Put in place by rename, so that a killed runner leaves no half of one. */
async function makeCopy(url: string, commonDir: string): Promise<GitAnswer> {
  const draft = `${commonDir}.${process.pid}.new`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true, mode: 0o700 })
  const call = (...args: string[]) => git([...OWN, ...args], { cwd: draft })
  let answer = await call('init', '--quiet', '--bare', '--template=', draft)
  if (answer.ok) answer = await call(`--git-dir=${draft}`, 'config', 'remote.origin.url', url)
  if (answer.ok)
    answer = await call(
      `--git-dir=${draft}`,
      'config',
      'remote.origin.fetch',
      '+refs/heads/*:refs/remotes/origin/*',
    )
  if (answer.ok) {
    await mkdir(join(draft, 'hooks'), { recursive: true })
    await mkdir(join(draft, 'info'), { recursive: true })
    await rename(draft, commonDir)
  } else await rm(draft, { recursive: true, force: true })
  return answer
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
