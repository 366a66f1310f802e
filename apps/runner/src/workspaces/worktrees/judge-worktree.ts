import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toText } from '../changes/byte-path.ts'
import { readRaw } from '../changes/compare-snapshots.ts'
import { createPrivateGit } from '../changes/private-git.ts'
import { takeSnapshot } from '../changes/take-snapshot.ts'
import { git, gitText, OFFLINE, SAFE_OPTIONS } from '../git.ts'
import { WORKTREE_BOUNDS } from './end-worktree.ts'
import { findCommit } from './find-commit.ts'
import type { WorktreeRecord } from './worktree-record.ts'

/**
 * in_use: its run goes on. empty: nothing is on its branch that was not there before. reachable: its commits, or files with
 * the same content, are on another branch here or at the remote. only_here: they are not. dirty: somebody changed files
 * after the run ended. nested: it holds other repositories. undone: only the kept ref is left. lost: its repository is gone.
 */
export type WorktreeState = {
  state: 'in_use' | 'empty' | 'reachable' | 'only_here' | 'dirty' | 'nested' | 'undone' | 'lost'
  /** Commits that are on its branch alone, and files that are on no branch. */
  commits: number
  files: string[]
  /** The other branch that has them. */
  on: string | null
}

const MOST_REFS = 40
const MOST_PATHS = 500
const LIMIT_MS = 60_000

/** What would be lost with a worktree. Reads alone, and starts nothing that its settings name. */
export async function judgeWorktree(record: WorktreeRecord): Promise<WorktreeState> {
  const answer = (state: WorktreeState['state'], more: Partial<WorktreeState> = {}): WorktreeState => ({
    state,
    commits: 0,
    files: [],
    on: null,
    ...more,
  })
  if (record.endedAt === null) return answer('in_use')
  if (record.isUndone) return answer('undone')
  if (!(await stat(record.commonDir).catch(() => null))) return answer('lost')
  const tip = await findCommit(record.commonDir, [record.branch])
  const commits = tip === null ? 0 : await countCommits(record, tip)
  const files = tip === null || record.folder === null ? [] : await listDirty(record, record.folder, tip)
  if (files.length > 0) return answer('dirty', { commits, files })
  if (record.hasNested && record.folder !== null) return answer('nested', { commits })
  if (tip === null || tip === record.base) return answer('empty')
  const on = (await refThatHolds(record, tip)) ?? (await refWithSameContent(record, tip))
  return on === null ? answer('only_here', { commits }) : answer('reachable', { commits, on })
}

async function countCommits({ commonDir, base }: WorktreeRecord, tip: string): Promise<number> {
  return Number((await read(commonDir, ['rev-list', '--count', tip, `^${base}`])).trim())
}

/** Paths that differ from the tip of the branch now. */
async function listDirty(record: WorktreeRecord, folder: string, tip: string): Promise<string[]> {
  if (!(await stat(folder).catch(() => null)) || record.admin === null) return []
  const place = await mkdtemp(join(tmpdir(), 'baton-worktree-'))
  try {
    const { commonDir, admin } = record
    const options = { objects: join(place, 'git', 'objects') }
    const own = await createPrivateGit(
      join(place, 'git'),
      folder,
      { root: folder, gitDir: admin, commonDir },
      options,
    )
    const signal = AbortSignal.timeout(LIMIT_MS)
    const now = await takeSnapshot(own, folder, { isPlain: false, bounds: WORKTREE_BOUNDS, signal })
    const raw = await own.text(['diff-tree', '-r', '-z', '--raw', '--no-renames', tip, now.tree])
    return [...readRaw(raw).map(({ path }) => path), ...Object.keys(now.unkept)].map(toText)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

const isOther = (record: WorktreeRecord) => (ref: string) =>
  ref !== '' && ref !== record.branch && !ref.startsWith('refs/baton/') && ref !== 'refs/stash'

async function refThatHolds(record: WorktreeRecord, tip: string): Promise<string | null> {
  const args = ['for-each-ref', '--format=%(refname)', `--contains=${tip}`]
  return (await read(record.commonDir, args)).split('\n').find(isOther(record)) ?? null
}

/** After a squash or a rebase the commits are others, and every file that they changed is the same. */
async function refWithSameContent(record: WorktreeRecord, tip: string): Promise<string | null> {
  const { commonDir, base } = record
  const names = await read(commonDir, ['diff-tree', '-r', '-z', '--name-only', '--no-renames', base, tip])
  const paths = names.split('\0').filter((path) => path !== '')
  if (paths.length === 0 || paths.length > MOST_PATHS) return null
  const list = ['for-each-ref', '--format=%(refname)', '--sort=-committerdate', `--count=${4 * MOST_REFS}`]
  const refs = (await read(commonDir, [...list, 'refs/heads', 'refs/remotes'])).split('\n')
  const others = refs.filter(isOther(record)).filter((ref) => !ref.startsWith('refs/heads/baton/'))
  for (const ref of others.slice(0, MOST_REFS)) {
    const same = ['diff-tree', '--quiet', '-r', '--no-ext-diff', '--ignore-submodules=none', ref, tip, '--']
    const answer = await git([...SAFE_OPTIONS, `--git-dir=${commonDir}`, ...same, ...paths.map(asText)], {
      cwd: commonDir,
      env: { ...OFFLINE, GIT_LITERAL_PATHSPECS: '1' },
    })
    if (answer.ok) return ref
  }
  return null
}

const asText = (path: string) => Buffer.from(path, 'latin1').toString('utf8')

function read(commonDir: string, args: string[]): Promise<string> {
  return gitText([...SAFE_OPTIONS, `--git-dir=${commonDir}`, ...args], { cwd: commonDir, env: OFFLINE })
}
