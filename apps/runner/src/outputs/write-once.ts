import type { FileHandle } from 'node:fs/promises'
import { openInside } from './open-inside.ts'
import type { OrderRecords } from './order-records.ts'
import type { OutputPlace } from './resolve-output-path.ts'

/** How far back a lost append is looked for: more than others write between two tries. */
const LOOK_BYTES = 16 * 1024 * 1024

/**
 * Writes an order's content to its file once, whatever crash comes in between: the record of where the file ended is on
 * disk before the first byte, and what stands there afterwards is compared before anything is written again. Answers the
 * real path.
 */
export async function writeOnce(
  order: { id: string; content: string; mode: 'append' | 'overwrite' },
  place: OutputPlace,
  records: OrderRecords,
): Promise<string> {
  const known = await records.read(order.id)
  if (known?.state === 'done') return known.path ?? ''
  const { file, path } = await openInside(place)
  try {
    const content = Buffer.from(order.content)
    if (order.mode === 'overwrite') {
      await file.truncate(0)
      await writeAll(file, content)
    } else if (known === null || !(await isThere(file, known.size, content))) {
      const { size } = await file.stat()
      await records.write(order.id, { state: 'begun', path, size })
      await writeAll(file, content)
    }
    await file.sync()
    await records.write(order.id, { state: 'done', path })
    return path
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten
  }
}

/**
 * Whether the content stands behind `from`, perhaps after what others have written. A torn piece of it at the very end is
 * taken away again: it is ours, and is written anew.
 */
async function isThere(file: FileHandle, from: number, content: Buffer): Promise<boolean> {
  const { size } = await file.stat()
  const length = Math.min(LOOK_BYTES, size - from)
  if (length <= 0) return false
  const written = Buffer.alloc(length)
  const { bytesRead } = await file.read(written, 0, length, from)
  const standing = written.subarray(0, bytesRead)
  if (standing.indexOf(content) !== -1) return true
  if (content.indexOf(standing) === 0) await file.truncate(from)
  return false
}
