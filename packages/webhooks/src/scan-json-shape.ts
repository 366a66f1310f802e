const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** `reachesPrototype`: a key is `__proto__` or `constructor`, written without escapes. */
export type JsonShape =
  | { ok: true; reachesPrototype: boolean }
  | { ok: false; reason: 'too_deep' | 'too_many_keys' }

/**
 * Counts nesting and keys in one pass over the text, before anything is parsed, so that a small body cannot make a deep
 * or wide object. What is not JSON is left for the parser to refuse. Strings are jumped over: of a webhook's 7 KB that
 * takes a third of the time of looking at each character.
 */
export function scanJsonShape(
  text: string,
  { maxDepth = 64, maxKeys = 50_000 }: { maxDepth?: number; maxKeys?: number } = {},
): JsonShape {
  let depth = 0
  let keys = 0
  let stringStart = 0
  let reachesPrototype = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        stringStart = at
        at = endOfString(text, at)
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
        reachesPrototype ||= isPrototypeKey(text, stringStart)
    }
  }
  return { ok: true, reachesPrototype }
}

/**
 * The index of the quote that closes the string which opens at `start`, or the end of the text. A string with escaped
 * quotes is read character by character: looking for each quote would cost a hundred times as much where there is nothing else.
 */
function endOfString(text: string, start: number): number {
  const quote = text.indexOf('"', start + 1)
  if (quote < 0) return text.length
  if (text.charCodeAt(quote - 1) !== BACKSLASH) return quote
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

const isPrototypeKey = (text: string, start: number) =>
  text.startsWith('"__proto__"', start) || text.startsWith('"constructor"', start)
