/** How many bytes a text takes inside an encoded event: as a JSON string in UTF-8, without the quotes. */
export function encodedBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2
}

/** Cuts a text into pieces of at most `limit` encoded bytes, as large as fit. No surrogate pair is torn. */
export function splitText(text: string, limit: number): string[] {
  const pieces: string[] = []
  let start = 0
  while (start < text.length) {
    const end = pieceEnd(text, start, limit)
    pieces.push(text.slice(start, end))
    start = end
  }
  return pieces
}

/** The start of a text, and its end with `tailLimit`, joined by a marker that says how much was left out. */
export function clipText(text: string, limit: number, tailLimit = 0): string {
  if (encodedBytes(text) <= limit) return text
  const marker = (dropped: number) => `… [${dropped} more bytes] …`
  const head = text.slice(0, pieceEnd(text, 0, Math.max(1, limit - tailLimit - 40)))
  const tail = tailEnd(text.slice(head.length), tailLimit)
  const dropped = Buffer.byteLength(text) - Buffer.byteLength(head) - Buffer.byteLength(tail)
  return `${head}${marker(dropped)}${tail}`
}

/** The end of a text in at most `limit` encoded bytes. */
function tailEnd(text: string, limit: number): string {
  let start = Math.max(0, text.length - limit)
  while (encodedBytes(text.slice(start)) > limit) start += Math.max(1, (text.length - start) >> 2)
  return text.slice(isLowSurrogate(text, start) ? start + 1 : start)
}

/**
 * The furthest end of a piece from `start` within the limit. One character may take 1 to 6 bytes (NUL is written as a
 * six-byte escape), so it guesses and takes less until it fits; measuring whole slices is native and fast.
 */
function pieceEnd(text: string, start: number, limit: number): number {
  let length = Math.min(limit, text.length - start)
  for (;;) {
    const bytes = encodedBytes(text.slice(start, start + length))
    if (bytes <= limit || length <= 1) break
    length = Math.max(1, Math.min(length - 1, Math.floor((length * limit) / bytes)))
  }
  const end = start + length
  if (end < text.length && isLowSurrogate(text, end) && isHighSurrogate(text, end - 1)) {
    return length > 1 ? end - 1 : end + 1
  }
  return end
}

const isHighSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xd800
const isLowSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00

/** The text without NUL and torn surrogate pairs, which a database's text column refuses. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd')
}
