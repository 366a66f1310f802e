import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A control group (version 2) of one run: no process can leave it unseen, and the kernel ends all of it at once. */
export type RunCgroup = {
  readonly path: string
  /** Everyone in it but this process. */
  pids(): number[]
  /** Ends all of it at once, where the kernel can; this process leaves first. */
  kill(): void
  /** Leaves and removes it; it must be empty then. */
  remove(): void
}

/**
 * Makes a control group for a run and moves this process into it, so that what it starts is born there. Answers null
 * where that cannot be: nothing depends on having one. Moving takes the kernel some milliseconds, so start it early.
 */
export async function enterRunCgroup(runId: string): Promise<RunCgroup | null> {
  const home = ownCgroup()
  if (!home) return null
  const path = join(home, `baton-${runId}`)
  try {
    await mkdir(path)
    await writeFile(join(path, 'cgroup.procs'), String(process.pid))
    return openRunCgroup(path, home)
  } catch {
    removeTree(path)
    return null
  }
}

/** `home` is where this process belongs when it is not in the group; null when it is not in it. */
export function openRunCgroup(path: string, home: string | null): RunCgroup {
  let inside = home !== null
  function leave(): void {
    if (!inside || !home) return
    inside = false
    ignoreMissing(() => writeFileSync(join(home, 'cgroup.procs'), String(process.pid)))
  }
  return {
    path,
    pids: () => pidsUnder(path).filter((pid) => pid !== process.pid),
    kill() {
      leave()
      if (!pidsUnder(path).includes(process.pid)) {
        ignoreMissing(() => writeFileSync(join(path, 'cgroup.kill'), '1'))
      }
    },
    remove() {
      leave()
      removeTree(path)
    },
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
    const [, root = '/', point = '/'] = mounted
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
