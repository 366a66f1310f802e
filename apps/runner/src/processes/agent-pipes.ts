import { closeSync, constants, openSync, readlinkSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { runFiles } from './run-files.ts'
import type { StreamName } from './supervised-run.ts'

export type AgentPipes = {
  /** What to give the agent as stdout and stderr. */
  ends: Record<StreamName, number>
  /** What those ends are called in /proc/<pid>/fd of whoever holds one. */
  names: string[]
  /** This process must not hold the agent's ends after the spawn, or it would never see the end of the output. */
  closeEnds(): void
  readers: Record<StreamName, Socket>
}

/**
 * Opens the two named pipes that the runner made in the run's folder, and removes their names. Node's own pipes are
 * sockets, which a program cannot open again: `echo … > /dev/stderr` fails on them. On these it works.
 */
export function openAgentPipes(runFolder: string): AgentPipes {
  const stdout = openPipe(runFiles(runFolder).fifo('stdout'))
  const stderr = openPipe(runFiles(runFolder).fifo('stderr'))
  return {
    ends: { stdout: stdout.end, stderr: stderr.end },
    names: [stdout.name, stderr.name].flatMap((name) => name ?? []),
    closeEnds() {
      closeSync(stdout.end)
      closeSync(stderr.end)
    },
    readers: { stdout: stdout.reader, stderr: stderr.reader },
  }
}

function openPipe(path: string) {
  // In this order neither open waits: a reader that does not block, then a writer that finds a reader.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const end = openSync(path, constants.O_WRONLY)
  rmSync(path)
  const reader = new Socket({ fd, readable: true, writable: false })
  return { end, reader, name: linkOf(end) }
}

function linkOf(fd: number): string | null {
  return process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${fd}`) : null
}
