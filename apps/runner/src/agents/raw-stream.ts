import type { RunEventBody } from '@baton/protocol'
import { createLineSplitter, type Piece } from './lines.ts'
import { outputEvents } from './output-events.ts'
import type { StreamName } from './runtime.ts'

/** A line of plain text is held for its end up to here; a longer one comes in pieces. */
const TEXT_LINE_BYTES = 32 * 1024

export type RawStream = {
  read(bytes: Buffer): RunEventBody[]
  flush(): RunEventBody[]
  end(): RunEventBody[]
  offset(): number
}

/**
 * One stream of plain output. Lines that arrive together become as few events as fit; an unended line waits for its end
 * or for `flush`. `onText` sees the same bytes in order, as text.
 */
export function createRawStream(
  stream: StreamName,
  offset: number,
  onText: (text: string) => void,
): RawStream {
  const splitter = createLineSplitter({ offset, midLine: false }, TEXT_LINE_BYTES)
  const pass = (pieces: Piece[]): RunEventBody[] => {
    if (pieces.length === 0) return []
    const bytes =
      pieces.length === 1 && pieces[0] ? pieces[0].bytes : Buffer.concat(pieces.map((one) => one.bytes))
    onText(bytes.subarray(-TEXT_LINE_BYTES).toString('utf8'))
    return outputEvents(stream, bytes)
  }
  return {
    read: (bytes) => pass(splitter.push(bytes)),
    flush: () => pass(splitter.flush()),
    end: () => pass(splitter.end()),
    offset: () => splitter.offset(),
  }
}
