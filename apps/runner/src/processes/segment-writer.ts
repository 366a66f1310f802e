import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { runFiles, SEGMENT_BYTES } from './run-files.ts'
import type { StreamName } from './supervised-run.ts'

export type SegmentWriter = {
  readonly written: number
  /** Writes all of it before it returns, so that memory stays flat and a kill of this process loses nothing. Throws. */
  write(bytes: Buffer): void
  /** Removes the segments that lie wholly before this offset. */
  forget(before: number): void
  close(): void
}

/** Writes one stream of a run into files of exactly 4 MiB: the raw bytes, nothing else. */
export function createSegmentWriter(runFolder: string, stream: StreamName): SegmentWriter {
  const { segment } = runFiles(runFolder)
  let written = 0
  let oldest = 0
  let open: { fd: number; index: number } | null = null

  function current(): number {
    const index = Math.floor(written / SEGMENT_BYTES)
    if (open?.index === index) return open.fd
    if (open) closeSync(open.fd)
    open = null
    open = { fd: openSync(segment(stream, index), 'wx', 0o600), index }
    return open.fd
  }

  return {
    get written() {
      return written
    },
    write(bytes) {
      for (let done = 0; done < bytes.length; ) {
        const room = SEGMENT_BYTES - (written % SEGMENT_BYTES)
        const count = writeSync(current(), bytes, done, Math.min(room, bytes.length - done))
        done += count
        written += count
      }
    },
    forget(before) {
      const keep = Math.floor(Math.min(before, written) / SEGMENT_BYTES)
      for (; oldest < keep; oldest++) rmSync(segment(stream, oldest), { force: true })
    },
    close() {
      if (open) closeSync(open.fd)
      open = null
    },
  }
}
