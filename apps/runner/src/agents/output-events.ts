import { isUtf8 } from 'node:buffer'
import { RUN_EVENT_BYTES, type RunEventBody } from '@baton/protocol'
import { linesOf } from './lines.ts'
import type { StreamName } from './runtime.ts'

/** Room for the time, the type and the other names around an event's text. */
export const TEXT_BYTES = RUN_EVENT_BYTES - 256
const BASE64_SOURCE_BYTES = Math.floor(TEXT_BYTES / 4) * 3

/**
 * Raw bytes as `output` events, as few as fit. Bytes that are valid UTF-8 come as text; a line that is not comes as
 * base64, whole, so that the bytes of the run can be put together again from its transcript.
 */
export function outputEvents(stream: StreamName, bytes: Buffer): RunEventBody[] {
  if (bytes.length === 0) return []
  if (isUtf8(bytes)) return textEvents(stream, bytes)
  return runsOfLines(bytes).flatMap((run) =>
    run.valid ? textEvents(stream, run.bytes) : base64Events(stream, run.bytes),
  )
}

/** Cuts at the bytes, which is ten times faster than measuring strings: a flood must not hold up other runs. */
function textEvents(stream: StreamName, bytes: Buffer): RunEventBody[] {
  const events: RunEventBody[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = textEnd(bytes, start)
    events.push({ type: 'output', stream, text: bytes.toString('utf8', start, end) })
    start = end
  }
  return events
}

/** The furthest end of a whole character so that the text from `start` takes at most TEXT_BYTES when encoded. */
function textEnd(bytes: Buffer, start: number): number {
  let room = TEXT_BYTES
  let end = start
  while (end < bytes.length) {
    room -= ENCODED_BYTES[bytes[end] ?? 0] ?? 1
    if (room < 0) break
    end += 1
  }
  // Bytes that begin with the bits 10 go on with a character.
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return end
}

/** How many bytes each byte of a text takes inside a JSON string. */
const ENCODED_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x80 ? JSON.stringify(String.fromCharCode(byte)).length - 2 : 1,
)

function base64Events(stream: StreamName, bytes: Buffer): RunEventBody[] {
  const events: RunEventBody[] = []
  for (let start = 0; start < bytes.length; start += BASE64_SOURCE_BYTES) {
    const base64 = bytes.subarray(start, start + BASE64_SOURCE_BYTES).toString('base64')
    events.push({ type: 'output', stream, base64 })
  }
  return events
}

/** Neighbouring lines of one kind, put together. */
function runsOfLines(bytes: Buffer): { valid: boolean; bytes: Buffer }[] {
  const runs: { valid: boolean; start: number; end: number }[] = []
  let start = 0
  for (const line of linesOf(bytes)) {
    const end = Math.min(bytes.length, start + line.length + 1)
    const valid = isUtf8(line)
    const last = runs.at(-1)
    if (last && last.valid === valid) last.end = end
    else runs.push({ valid, start, end })
    start = end
  }
  return runs.map((run) => ({ valid: run.valid, bytes: bytes.subarray(run.start, run.end) }))
}
