import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { EndInside } from './end-inside.ts'
import type { ProcessIdentity } from './process-table.ts'
import type { Offsets, StreamName } from './supervised-run.ts'

export const SEGMENT_BYTES = 4 * 1024 * 1024

/** The supervisor's word on who it is and whom it started; `agent` is null until it has. */
export type SupervisorRecord = {
  supervisor: ProcessIdentity
  agent: ProcessIdentity | null
  bootId: string
  startedAt: number
  cgroup: string | null
  /** How to end what is not in this machine's process table; left out by older supervisors. */
  inside?: EndInside | null
}

export const runFiles = (folder: string) => ({
  supervisor: join(folder, 'supervisor.json'),
  control: join(folder, 'control.log'),
  exit: join(folder, 'exit.json'),
  log: join(folder, 'supervisor.log'),
  /** Blocks kept so that exit.json can be written on a full disk. */
  exitReserve: join(folder, 'exit.reserve'),
  /** Given back when the disk is full, so that the runner can write its last words. */
  spare: join(folder, 'spare'),
  fifo: (stream: StreamName) => join(folder, `${stream}.fifo`),
  /** Whoever makes it decides about an attempt: the supervisor that it may start, an adopter that nobody may. */
  claim: (attempt: string) => join(folder, `claim.${attempt}`),
  segment: (stream: StreamName, index: number) => join(folder, `${stream}.${String(index).padStart(6, '0')}`),
})

/** Null when the file is missing; a half-written file cannot be seen, as all are put in place by rename. */
export function readJson<T>(path: string): T | null {
  const text = readText(path)
  return text === null ? null : (JSON.parse(text) as T)
}

export function readText(path: string): string | null {
  if (!existsSync(path)) return null // quicker than the error of a failed open, and asked often
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/**
 * Puts a small JSON file in place by rename, so that nobody sees half of it; `durable`: a power cut does not undo it.
 * `aside` may exist already: its blocks are overwritten (its rest is blanks), which needs no space on a full disk.
 */
export function putJson(path: string, value: unknown, { aside = `${path}.new`, durable = false } = {}): void {
  const fd = openSync(aside, sizeOf(aside) === null ? 'wx' : 'r+', 0o600)
  try {
    writeSync(fd, `${JSON.stringify(value)}\n`, 0)
    if (durable) fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(aside, path)
  if (durable) syncFolderOf(path)
}

export function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null
}

/** The numbers of a stream's segments among the names in a run's folder, in order. */
export function storedSegments(names: string[], stream: StreamName): number[] {
  const own = names.filter((name) => name.startsWith(`${stream}.`) && /\.\d{6,}$/.test(name))
  return own.map((name) => Number(name.slice(stream.length + 1))).sort((a, b) => a - b)
}

/** Where the output on disk ends, by the segments' sizes; nothing when the folder is gone. */
export function storedOutput(folder: string): Offsets {
  const names = existsSync(folder) ? readdirSync(folder) : []
  const end = (stream: StreamName) => {
    const last = storedSegments(names, stream).at(-1)
    if (last === undefined) return 0
    return last * SEGMENT_BYTES + (sizeOf(runFiles(folder).segment(stream, last)) ?? 0)
  }
  return { stdout: end('stdout'), stderr: end('stderr') }
}

function syncFolderOf(path: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(join(path, '..'), 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
