/** The longest line that is kept whole: a screenshot that an agent read comes as one line of several MiB. */
export const LINE_BYTES = 8 * 1024 * 1024
export const LINE_FEED = 0x0a

/**
 * Bytes of one stream in order: `lines` are whole lines, each with its line feed (but for an unended last one), `part` is
 * a piece of a line that was too long or was asked for early. Pieces put together are the stream, byte for byte.
 */
export type Piece = { kind: 'lines' | 'part'; bytes: Buffer }

export type LineSplitter = {
  push(bytes: Buffer): Piece[]
  /** Passes on what is there of an unended line, but for a character that is not complete. */
  flush(): Piece[]
  /** Passes on everything: no more will come. */
  end(): Piece[]
  /** The first byte of the line that is being held, if one is. */
  heldStart(): number | null
  /** Where the held bytes start: everything before was passed on. */
  offset(): number
  /** Whether `offset` lies within a line whose start was passed on. */
  midLine(): boolean
}

/** Splits a stream into lines with offsets. It holds at most `maxLineBytes` and what one `push` brought. */
export function createLineSplitter(
  start: { offset: number; midLine: boolean } = { offset: 0, midLine: false },
  maxLineBytes = LINE_BYTES,
): LineSplitter {
  let { offset, midLine } = start
  let held: Buffer[] = []
  let heldBytes = 0

  const take = (): Buffer => {
    const all = held.length === 1 && held[0] ? held[0] : Buffer.concat(held)
    held = []
    heldBytes = 0
    return all
  }
  const hold = (bytes: Buffer) => {
    if (bytes.length === 0) return
    held.push(bytes)
    heldBytes += bytes.length
  }
  const pass = (kind: Piece['kind'], bytes: Buffer): Piece[] => {
    offset += bytes.length
    return bytes.length === 0 ? [] : [{ kind, bytes }]
  }
  const passPart = (): Piece[] => {
    const all = take()
    const end = completeTextEnd(all)
    hold(all.subarray(end))
    if (end > 0) midLine = true
    return pass('part', all.subarray(0, end))
  }
  const passLines = (all: Buffer): Piece[] => {
    const ended = midLine ? all.indexOf(LINE_FEED) + 1 : 0
    midLine = false
    return [...pass('part', all.subarray(0, ended)), ...pass('lines', all.subarray(ended))]
  }

  return {
    push(bytes) {
      const end = bytes.lastIndexOf(LINE_FEED) + 1
      const pieces: Piece[] = []
      if (end > 0) {
        hold(bytes.subarray(0, end))
        pieces.push(...passLines(take()))
      }
      hold(bytes.subarray(end))
      if (heldBytes > (midLine ? 0 : maxLineBytes)) pieces.push(...passPart())
      return pieces
    },
    flush: () => (heldBytes > 0 ? passPart() : []),
    end: () => pass(midLine ? 'part' : 'lines', take()),
    heldStart: () => held[0]?.[0] ?? null,
    offset: () => offset,
    midLine: () => midLine,
  }
}

/** Each line of a `lines` piece, without its line feed. */
export function* linesOf(bytes: Buffer): Generator<Buffer> {
  let start = 0
  while (start < bytes.length) {
    const found = bytes.indexOf(LINE_FEED, start)
    const end = found === -1 ? bytes.length : found
    yield bytes.subarray(start, end)
    start = end + 1
  }
}

/** The length of `bytes` without an unfinished UTF-8 character at its end. */
function completeTextEnd(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) break
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return needed > back ? bytes.length - back : bytes.length
    }
  }
  return bytes.length
}
