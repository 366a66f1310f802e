import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A control group (version 2) of one run: no process can leave it, and the kernel ends all of it at once. */
export type RunCgroup = {
  readonly path: string
  /** Runs `spawn` inside, so that the child is born there; this process is outside again afterwards. */
  around<T>(spawn: () => T): T
  pids(): number[]
  kill(): void
  /** Removes it once it is empty. */
  remove(): void
}

/** Makes a control group for a run, or answers null where none can be made. Nothing depends on having one. */
export function createRunCgroup(runId: string): RunCgroup | null {
  const home = ownCgroup()
  if (!home) return null
  const path = join(home, `baton-${runId}`)
  try {
    mkdirSync(path)
    const cgroup = openRunCgroup(path)
    cgroup.around(() => {}) // it may be made and still refuse processes
    return cgroup
  } catch {
    removeTree(path)
    return null
  }
}

export function openRunCgroup(path: string): RunCgroup {
  return {
    path,
    around(spawn) {
      writeFileSync(join(path, 'cgroup.procs'), String(process.pid))
      try {
        return spawn()
      } finally {
        writeFileSync(join(path, '..', 'cgroup.procs'), String(process.pid))
      }
    },
    pids: () => pidsUnder(path),
    kill: () => ignoreMissing(() => writeFileSync(join(path, 'cgroup.kill'), '1')),
    remove: () => removeTree(path),
  }
}

function ownCgroup(): string | null {
  if (process.platform !== 'linux') return null
  try {
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
    const mounted = /^\S+ \S+ \S+ (\S+) (\S+) .* - cgroup2 /m.exec(
      readFileSync('/proc/self/mountinfo', 'utf8'),
    )
    if (own === undefined || !mounted) return null
    const [, root, point] = mounted as unknown as [string, string, string]
    if (root !== '/' && !own.startsWith(root)) return null
    return join(point, root === '/' ? own : own.slice(root.length))
  } catch {
    return null // no /proc/self/cgroup: there is nothing to use
  }
}

function pidsUnder(path: string): number[] {
  try {
    const own = readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
    return [...own, ...foldersIn(path).flatMap((name) => pidsUnder(join(path, name)))]
  } catch {
    return [] // removed meanwhile: nobody is in it
  }
}

function removeTree(path: string): void {
  ignoreMissing(() => {
    for (const name of foldersIn(path)) removeTree(join(path, name))
    rmdirSync(path)
  })
}

function foldersIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  )
}

/** Old kernels have no cgroup.kill, and a group may be busy or gone: the other ways to end a run still work. */
function ignoreMissing(act: () => void): void {
  try {
    act()
  } catch {}
}
