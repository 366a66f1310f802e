const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

export type JsonShape = { ok: true } | { ok: false; reason: 'too_deep' | 'too_many_keys' }

/**
 * Counts nesting and keys in one pass over the bytes, before anything is parsed, so that a small body cannot make a
 * deep or wide object. What is not JSON is left for the parser to refuse. UTF-8 needs no decoding here: no byte of a
 * longer character looks like a quote, a bracket or a colon.
 */
export function scanJsonShape(
  rawBody: Buffer,
  { maxDepth = 64, maxKeys = 50_000 }: { maxDepth?: number; maxKeys?: number } = {},
): JsonShape {
  let depth = 0
  let keys = 0
  for (let at = 0; at < rawBody.length; at++) {
    switch (rawBody[at]) {
      case QUOTE:
        at = endOfString(rawBody, at)
        break
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > maxDepth) return { ok: false, reason: 'too_deep' }
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
      case COLON:
        if (++keys > maxKeys) return { ok: false, reason: 'too_many_keys' }
    }
  }
  return { ok: true }
}

/** The index of the quote that closes the string which opens at `start`, or the end of the body. */
function endOfString(rawBody: Buffer, start: number): number {
  let at = start + 1
  while (at < rawBody.length && rawBody[at] !== QUOTE) at += rawBody[at] === BACKSLASH ? 2 : 1
  return at
}
