import { isUtf8 } from 'node:buffer'
import { type Fields, fieldsOf } from './json-fields.ts'
import { LINE_FEED } from './lines.ts'
import { outputEvents } from './output-events.ts'
import type { ReadSteps } from './runtime.ts'

export const BRACE = 0x7b

/**
 * The meaning of each line of stdout that is a JSON object, in order. Neighbouring lines that are none, or that
 * `readEvent` knows nothing of (null), come together, as raw output.
 */
export function* readJsonLines(
  bytes: Buffer,
  readEvent: (event: Fields) => ReadSteps | null,
): Generator<ReadSteps> {
  let rawStart = 0
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, start) + 1 || bytes.length
    const event = bytes[start] === BRACE ? parseLine(bytes.subarray(start, end)) : null
    const steps = event === null ? null : readEvent(event)
    if (steps !== null) {
      if (rawStart < start) yield { events: outputEvents('stdout', bytes.subarray(rawStart, start)) }
      yield steps
      rawStart = end
    }
    start = end
  }
  if (rawStart < bytes.length) yield { events: outputEvents('stdout', bytes.subarray(rawStart)) }
}

function parseLine(line: Buffer): Fields | null {
  if (!isUtf8(line)) return null
  try {
    return fieldsOf(JSON.parse(line.toString('utf8')))
  } catch {
    return null
  }
}
