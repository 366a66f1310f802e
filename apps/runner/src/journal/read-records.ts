import type { FileHandle } from 'node:fs/promises'
import { decodeRecord } from './record-framing.ts'

const READ_BYTES = 1024 * 1024

/** One record and where it stands in the file. */
export type StoredRecord = { value: unknown; offset: number; bytes: number }

/**
 * The records of a file from `offset` up to `end`, in order, as far as they are whole and right. It stops at the first
 * one that is torn or corrupt: what follows cannot be trusted. Memory is bounded by the largest record.
 */
export async function* readRecords(
  file: FileHandle,
  offset = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<StoredRecord> {
  let pending: Buffer = Buffer.alloc(0)
  let at = offset
  for (;;) {
    const decoded = decodeRecord(pending)
    if (decoded === 'corrupt') return
    if ('value' in decoded) {
      yield { value: decoded.value, offset: at, bytes: decoded.bytes }
      pending = pending.subarray(decoded.bytes)
      at += decoded.bytes
      continue
    }
    const from = at + pending.length
    const wanted = Math.min(Math.max(READ_BYTES, decoded.needs - pending.length), end - from)
    const more = wanted > 0 ? await readAt(file, from, wanted) : null
    if (!more || more.length === 0) return
    pending = pending.length === 0 ? more : Buffer.concat([pending, more])
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat()
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - position)))
  if (buffer.length === 0) return buffer
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
  return buffer.subarray(0, bytesRead)
}
