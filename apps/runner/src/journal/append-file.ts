import type { FileHandle } from 'node:fs/promises'

export type AppendFile = {
  /** Bytes that are written; everything up to here survives the death of this process. */
  readonly size: number
  /** Writes after everything given before. Resolves when written, and on disk when `durable`. */
  append(bytes: Buffer, durable: boolean): Promise<void>
  /** Resolves when everything appended before this call is on disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

type Waiting = {
  bytes: Buffer | null
  durable: boolean
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * Appends to an open file with natural batching: one write (and one fdatasync for all who want it) is under way, and
 * everything that gathers meanwhile goes with the next one.
 *
 * A write that fails (a full disk) is taken back by cutting the file to its last good length. Then later appends may
 * succeed, unless `chained` says that each one only makes sense after all before it. After a failed fdatasync nothing
 * can be said about what is on disk: every later call is refused until the file is opened again.
 */
export function createAppendFile(
  file: FileHandle,
  startSize: number,
  { chained = false }: { chained?: boolean } = {},
): AppendFile {
  let size = startSize
  let queue: Waiting[] = []
  let writing: Promise<void> | null = null
  let broken: unknown = null

  function enqueue(bytes: Buffer | null, durable: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      queue.push({ bytes, durable, resolve, reject })
      writing ??= drain()
    })
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue
      queue = []
      try {
        if (broken) throw broken
        await writeBatch(batch)
        for (const one of batch) one.resolve()
      } catch (error) {
        for (const one of batch) one.reject(error)
      }
    }
    writing = null
  }

  async function writeBatch(batch: Waiting[]): Promise<void> {
    const buffers = batch.flatMap((one) => one.bytes ?? [])
    if (buffers.length > 0) await writeWhole(buffers)
    if (!batch.some((one) => one.durable)) return
    await file.datasync().catch((error: unknown) => {
      broken = error
      throw error
    })
  }

  async function writeWhole(buffers: Buffer[]): Promise<void> {
    const bytes = buffers.length === 1 ? (buffers[0] as Buffer) : Buffer.concat(buffers)
    let done = 0
    try {
      while (done < bytes.length) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, size + done)
        done += bytesWritten
      }
    } catch (error) {
      if (chained) broken = error
      await file.truncate(size).catch((cause: unknown) => {
        broken ??= cause
      })
      throw error
    }
    size += bytes.length
  }

  return {
    get size() {
      return size
    },
    append: (bytes, durable) => enqueue(bytes, durable),
    sync: () => enqueue(null, true),
    async close() {
      await writing
      await file.close()
    },
  }
}
