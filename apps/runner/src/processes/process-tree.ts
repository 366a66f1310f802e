import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { listProcesses, type ProcessEntry, type ProcessIdentity, readProcess } from './process-table.ts'
import type { RunCgroup } from './run-cgroup.ts'

/** The name of the environment variable that marks every process of a run. */
export const RUN_MARK = 'BATON_RUN_ID'

/** Ways to know that a process belongs to a run. Each one alone can be escaped from; together hardly. */
export const TREE_TRAITS = ['group', 'descent', 'mark', 'pipe', 'cgroup'] as const
export type TreeTrait = (typeof TREE_TRAITS)[number]

export type ProcessTree = {
  /** Looks who descends from the agent now, so that they are still known after their parents ended. */
  observe(): void
  /** Every live process of the run. Never this process or one it descends from. */
  members(): ProcessEntry[]
  /** The agent's process group while it is certain that its number still means this run's group. */
  readonly group: number | null
  readonly cgroup: RunCgroup | null
}

export type TreeOptions = {
  root: ProcessIdentity
  runId: string
  cgroup: RunCgroup | null
  /** What the ends of the agent's output pipes are called in /proc/<pid>/fd. */
  pipes?: readonly string[]
  traits?: readonly TreeTrait[]
}

/** The processes of one run: the agent (a session and group leader) and all that came of it, however they hid. */
export function createProcessTree(options: TreeOptions): ProcessTree {
  const { root, runId, pipes = [] } = options
  const traits = new Set(options.traits ?? TREE_TRAITS)
  const cgroup = traits.has('cgroup') ? options.cgroup : null
  const known = new Map<number, string>()
  const rootSeen = readProcess(root.pid, { orZombie: true })?.startTime === root.startTime
  if (rootSeen) known.set(root.pid, root.startTime)

  function observe(): void {
    if (!traits.has('descent')) return
    for (const one of withDescendants(listProcesses(), isKnown)) known.set(one.pid, one.startTime)
  }

  const isKnown = (one: ProcessEntry) => known.get(one.pid) === one.startTime
  const inGroup = (one: ProcessEntry) =>
    rootSeen && traits.has('group') && (one.group === root.pid || one.session === root.pid)

  function members(): ProcessEntry[] {
    const all = listProcesses()
    const spared = selfAndAncestors(all)
    const inCgroup = new Set(cgroup?.pids())
    const belongs = (one: ProcessEntry) =>
      !spared.has(one.pid) &&
      (isKnown(one) ||
        inGroup(one) ||
        inCgroup.has(one.pid) ||
        (traits.has('mark') && isMarked(one.pid, runId)) ||
        (traits.has('pipe') && pipes.length > 0 && holdsPipe(one.pid, pipes)))
    const found = traits.has('descent') ? withDescendants(all, belongs) : all.filter(belongs)
    const ours = found.filter((one) => !spared.has(one.pid))
    for (const one of ours) known.set(one.pid, one.startTime)
    return ours
  }

  return { observe, members, cgroup, group: rootSeen ? root.pid : null }
}

/** Those that belong, their descendants, and whoever shares a session with one of them, until nobody is new. */
function withDescendants(all: ProcessEntry[], belongs: (one: ProcessEntry) => boolean): ProcessEntry[] {
  const pids = new Set<number>()
  const sessions = new Set<number>()
  let rest = all
  const found: ProcessEntry[] = []
  for (let first = true; ; first = false) {
    const fresh = rest.filter(
      (one) =>
        (first && belongs(one)) || pids.has(one.parent) || (one.session > 1 && sessions.has(one.session)),
    )
    if (fresh.length === 0 && !first) return found
    for (const one of fresh) {
      pids.add(one.pid)
      // A session belongs to the run when its leader does; a marked process in a person's own session does not own it.
      if (one.session === one.pid) sessions.add(one.session)
    }
    found.push(...fresh)
    rest = rest.filter((one) => !pids.has(one.pid))
  }
}

function selfAndAncestors(all: ProcessEntry[]): Set<number> {
  const parents = new Map(all.map((one) => [one.pid, one.parent]))
  const spared = new Set([0, 1])
  for (let pid: number | undefined = process.pid; pid && !spared.has(pid); pid = parents.get(pid))
    spared.add(pid)
  return spared
}

function isMarked(pid: number, runId: string): boolean {
  if (process.platform !== 'linux') return false
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${RUN_MARK}=${runId}\0`)
  } catch {
    return false // another user's process, or it just ended
  }
}

function holdsPipe(pid: number, pipes: readonly string[]): boolean {
  if (process.platform !== 'linux') return false
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => pipes.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)))
  } catch {
    return false // another user's process, or it just ended
  }
}
