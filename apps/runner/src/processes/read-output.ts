import { type FileHandle, open } from 'node:fs/promises'
import type { FolderWatch } from './folder-watch.ts'
import { runFiles, SEGMENT_BYTES } from './run-files.ts'
import type { Offsets, OutputChunk, StreamName } from './supervised-run.ts'

const CHUNK_BYTES = 256 * 1024
const STREAMS = ['stdout', 'stderr'] as const

/**
 * The raw output of a run from `from` on: what is on disk, then what comes. `endsAt` answers where the output ends
 * once that is known, and null before. Both streams take turns, so that neither starves the other.
 */
export async function* readOutput(
  runFolder: string,
  from: Offsets,
  endsAt: () => Offsets | null,
  watch: FolderWatch,
  signal: AbortSignal,
): AsyncGenerator<OutputChunk> {
  const readers = STREAMS.map((stream) => createSegmentReader(runFolder, stream, from[stream]))
  try {
    while (!signal.aborted && !watch.closed) {
      const seen = watch.version
      const end = endsAt()
      let got = false
      for (const reader of readers) {
        const chunk = await reader.next()
        if (!chunk) continue
        got = true
        yield chunk
        if (signal.aborted) return
      }
      if (got) continue
      if (end && readers.every((reader) => reader.offset >= end[reader.stream])) return
      await watch.after(seen, signal)
    }
  } finally {
    for (const reader of readers) await reader.close()
  }
}

function createSegmentReader(runFolder: string, stream: StreamName, from: number) {
  let offset = from
  let open_: { file: FileHandle; index: number } | null = null

  async function segmentAt(index: number): Promise<FileHandle | null> {
    if (open_?.index === index) return open_.file
    await open_?.file.close()
    open_ = null
    const file = await openIfThere(runFiles(runFolder).segment(stream, index))
    if (file) open_ = { file, index }
    return file
  }

  return {
    stream,
    get offset() {
      return offset
    },
    /** The next bytes that are there, or null when there are none for now. */
    async next(): Promise<OutputChunk | null> {
      const file = await segmentAt(Math.floor(offset / SEGMENT_BYTES))
      if (!file) return null
      const position = offset % SEGMENT_BYTES
      const { size, mtimeMs } = await file.stat()
      const length = Math.min(CHUNK_BYTES, size - position)
      if (length <= 0) return null
      const bytes = Buffer.allocUnsafeSlow(length)
      const { bytesRead } = await file.read(bytes, 0, length, position)
      if (bytesRead === 0) return null
      const chunk = { stream, offset, bytes: bytes.subarray(0, bytesRead), atMs: Math.round(mtimeMs) }
      offset += bytesRead
      return chunk
    },
    async close() {
      await open_?.file.close()
      open_ = null
    },
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
