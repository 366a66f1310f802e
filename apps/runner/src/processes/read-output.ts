import { type FileHandle, open, readdir } from 'node:fs/promises'
import type { FolderWatch } from './folder-watch.ts'
import { runFiles, SEGMENT_BYTES, storedSegments } from './run-files.ts'
import type { Offsets, OutputChunk, StreamName } from './supervised-run.ts'

const CHUNK_BYTES = 256 * 1024
const STREAMS = ['stdout', 'stderr'] as const

/**
 * The raw output of a run from `from` on: what is on disk, then what comes. `hasEnded` says that nothing more will be
 * written; then it ends when all was read. Both streams take turns, so that neither starves the other. Where segments
 * were removed because they had been consumed, it goes on with the next one there: the chunks' offsets show the gap.
 */
export async function* readOutput(
  runFolder: string,
  from: Offsets,
  hasEnded: () => boolean,
  watch: FolderWatch,
  signal: AbortSignal,
): AsyncGenerator<OutputChunk> {
  const readers = STREAMS.map((stream) => createSegmentReader(runFolder, stream, from[stream]))
  try {
    while (!signal.aborted && !watch.closed) {
      const seen = watch.version
      const ended = hasEnded()
      let got = false
      for (const reader of readers) {
        const chunk = await reader.next()
        if (!chunk) continue
        got = true
        yield chunk
        if (signal.aborted) return
      }
      if (got) continue
      if (ended) return
      await watch.after(seen, signal)
    }
  } finally {
    for (const reader of readers) await reader.close()
  }
}

function createSegmentReader(runFolder: string, stream: StreamName, from: number) {
  let offset = from
  let opened: { file: FileHandle; index: number } | null = null

  async function segmentAt(index: number): Promise<FileHandle | null> {
    if (opened?.index === index) return opened.file
    await opened?.file.close()
    opened = null
    const file = await openIfThere(runFiles(runFolder).segment(stream, index))
    if (file) opened = { file, index }
    return file
  }

  /** The first segment behind one that is not there, when there is any. */
  async function nextSegment(): Promise<FileHandle | null> {
    const index = Math.floor(offset / SEGMENT_BYTES)
    const later = storedSegments(await readdir(runFolder), stream).find((one) => one > index)
    if (later === undefined) return null
    const file = await segmentAt(later)
    if (file) offset = later * SEGMENT_BYTES
    return file
  }

  return {
    /** The next bytes that are there, or null when there are none for now. */
    async next(): Promise<OutputChunk | null> {
      const file = (await segmentAt(Math.floor(offset / SEGMENT_BYTES))) ?? (await nextSegment())
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
      await opened?.file.close()
      opened = null
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
