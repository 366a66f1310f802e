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
  readers: Record<StreamName, PipeReader>
}

export type PipeReader = {
  /** Starts reading. The bytes are only valid during the call: each read uses the same memory again. */
  read(onBytes: (bytes: Buffer) => void): void
  setPaused(paused: boolean): void
  /** Settles when the last holder of the other end is gone, or after `close`. */
  readonly ended: Promise<void>
  close(): void
}

const READ_BYTES = 64 * 1024

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
  return { end, reader: createPipeReader(fd), name: linkOf(end) }
}

/**
 * Reads a pipe into one buffer. With a buffer for each read, as streams do it, a flood costs some 70 MiB before the
 * garbage is collected; so it is flat.
 */
function createPipeReader(fd: number): PipeReader {
  let onBytes: (bytes: Buffer) => void = () => {}
  const callback = (count: number, buffer: Uint8Array) => {
    onBytes(Buffer.from(buffer.buffer, buffer.byteOffset, count))
    return true
  }
  const onread = { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback }
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    onread,
    pauseOnCreate: true,
  } as SocketOptions)
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  socket.once('end', resolve)
  socket.once('close', resolve)
  socket.on('error', () => socket.destroy())
  return {
    read(take) {
      onBytes = take
      socket.resume()
    },
    setPaused(paused) {
      if (paused !== socket.isPaused()) socket[paused ? 'pause' : 'resume']()
    },
    ended,
    close: () => socket.destroy(),
  }
}

/** `onread` works for any socket; the types know it only for those that connect. */
type SocketOptions = ConstructorParameters<typeof Socket>[0]

function linkOf(fd: number): string | null {
  return process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${fd}`) : null
}
