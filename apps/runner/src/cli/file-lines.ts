import { createReadStream } from 'node:fs'

/** No line of ours is longer: an event's body of 1 MiB in base64, a prompt of 256 KiB, a run event of 64 KiB. */
const LONGEST_LINE = 64 * 1024 * 1024

/** The lines of a file as bytes, each with its newline; what follows the last newline is a line too. */
export async function* fileLines(
  path: string,
  range: { start?: number } = {},
): AsyncGenerator<Buffer, void, undefined> {
  let parts: Buffer[] = []
  let kept = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024, ...range })) {
    const bytes = chunk as Buffer
    let from = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      parts.push(bytes.subarray(from, end + 1))
      yield parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
      parts = []
      kept = 0
      from = end + 1
    }
    if (from === bytes.length) continue
    parts.push(bytes.subarray(from))
    kept += bytes.length - from
    // A file without newlines is none of ours; it must not fill the memory.
    if (kept > LONGEST_LINE) break
  }
  if (parts.length > 0) yield Buffer.concat(parts)
}
