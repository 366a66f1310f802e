import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'

const BUFFER_BYTES = 256 * 1024

export type LineFile = {
  write(line: string): Promise<void>
  /** Everything written so far is on the disk; answers how many bytes that are. */
  sync(): Promise<number>
  /** May be called twice. */
  close(): Promise<{ bytes: number; sha256: string }>
}

/**
 * Writes text to a file only its owner can read, in pieces of a good size, and hashes it on the way. `keep` goes on after that many bytes of
 * what is there and drops the rest.
 */
export async function openLineFile(path: string, { keep = 0 } = {}): Promise<LineFile> {
  const handle = await open(path, keep > 0 ? 'r+' : 'w+', 0o600)
  const hash = createHash('sha256')
  if (keep > 0) await hashStart(handle, keep, hash)
  await handle.truncate(keep)
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let bytes = keep
  let closed: { bytes: number; sha256: string } | null = null

  async function flush() {
    const all = Buffer.concat(waiting)
    waiting = []
    waitingBytes = 0
    await handle.write(all, 0, all.length, bytes)
    bytes += all.length
  }
  return {
    async write(line) {
      const piece = Buffer.from(line)
      hash.update(piece)
      waiting.push(piece)
      waitingBytes += piece.length
      if (waitingBytes >= BUFFER_BYTES) await flush()
    },
    async sync() {
      await flush()
      await handle.datasync()
      return bytes
    },
    async close() {
      if (closed) return closed
      closed = { bytes: bytes + waitingBytes, sha256: hash.digest('hex') }
      try {
        await flush()
        await handle.sync()
      } finally {
        await handle.close()
      }
      return closed
    },
  }
}

async function hashStart(handle: FileHandle, length: number, hash: Hash): Promise<void> {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - at), at)
    if (bytesRead === 0) throw new Error('The file is shorter than it was.')
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
}
