import { crc32 } from 'node:zlib'

/**
 * A record on disk: u32 length of the payload, u32 crc32 of those four bytes and the payload, the payload (JSON). Big
 * endian. The checksum covers the length, so that a flipped bit in it cannot make a wrong record; a tail of zeros, as
 * a power cut leaves it, is no record.
 */
export const HEADER_BYTES = 8
export const LARGEST_RECORD_BYTES = 256 * 1024 * 1024

export function encodeRecord(value: unknown): Buffer {
  const text = JSON.stringify(value)
  const length = Buffer.byteLength(text)
  if (length > LARGEST_RECORD_BYTES) throw new RangeError(`a record of ${length} bytes is too large`)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length)
  frame.writeUInt32BE(length, 0)
  frame.write(text, HEADER_BYTES)
  frame.writeUInt32BE(checksum(frame, frame.subarray(HEADER_BYTES)), 4)
  return frame
}

/** The record at the start of `bytes`; `needs` says how many bytes it has in all when they are not all there. */
export type Decoded = { value: unknown; bytes: number } | { needs: number } | 'corrupt'

export function decodeRecord(bytes: Buffer): Decoded {
  if (bytes.length < HEADER_BYTES) return { needs: HEADER_BYTES }
  const length = bytes.readUInt32BE(0)
  if (length > LARGEST_RECORD_BYTES) return 'corrupt'
  if (bytes.length < HEADER_BYTES + length) return { needs: HEADER_BYTES + length }
  const payload = bytes.subarray(HEADER_BYTES, HEADER_BYTES + length)
  if (bytes.readUInt32BE(4) !== checksum(bytes, payload)) return 'corrupt'
  return { value: JSON.parse(payload.toString('utf8')), bytes: HEADER_BYTES + length }
}

function checksum(header: Buffer, payload: Buffer): number {
  return crc32(payload, crc32(header.subarray(0, 4)))
}
