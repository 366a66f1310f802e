import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './postmaster-pid.ts'

/** How a server ended; both are null for one that another process had started. */
export interface EmbeddedPostgresExit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Supervision {
  stop(): Promise<void>
  onExit(callback: (exit: EmbeddedPostgresExit) => void): void
}

const graceMs = 10_000
const lookEveryMs = 200

/** A server that this process started. */
export function superviseChild(child: ChildProcess): Supervision {
  const ended = Promise.withResolvers<EmbeddedPostgresExit>()
  child.once('exit', (code, signal) => ended.resolve({ code, signal }))
  return supervise(ended.promise, (signal) => {
    child.ref()
    child.kill(signal)
  })
}

/** A server whose starter died: this process becomes its owner. */
export function superviseOrphan(pid: number): Supervision {
  const watch = watchPid(pid)
  return supervise(watch.ended, (signal) => {
    watch.timer.ref()
    process.kill(pid, signal)
  })
}

/** A server that belongs to another process: it is watched and never stopped. */
export function superviseShared(pid: number): Supervision {
  const watch = watchPid(pid)
  return { ...supervise(watch.ended, () => {}), stop: async () => clearInterval(watch.timer) }
}

/** SIGINT ends every connection and shuts down; SIGQUIT, after the grace, leaves the rest to crash recovery. */
function supervise(
  ended: Promise<EmbeddedPostgresExit>,
  kill: (signal: NodeJS.Signals) => void,
): Supervision {
  let running = true
  let stopping: Promise<void> | undefined
  void ended.then(() => {
    running = false
  })

  async function stop(): Promise<void> {
    if (!running) return
    kill('SIGINT')
    const grace = new AbortController()
    const late = sleep(graceMs, 'late' as const, { signal: grace.signal }).catch(() => 'ended' as const)
    if ((await Promise.race([ended, late])) === 'late') kill('SIGQUIT')
    grace.abort()
    await ended
  }

  return {
    stop: () => {
      stopping ??= stop()
      return stopping
    },
    onExit: (callback) => {
      void ended.then((exit) => {
        if (!stopping) callback(exit)
      })
    },
  }
}

function watchPid(pid: number): { ended: Promise<EmbeddedPostgresExit>; timer: NodeJS.Timeout } {
  const ended = Promise.withResolvers<EmbeddedPostgresExit>()
  const timer = setInterval(() => {
    if (isAlive(pid)) return
    clearInterval(timer)
    ended.resolve({ code: null, signal: null })
  }, lookEveryMs).unref()
  return { ended: ended.promise, timer }
}
