/* oxlint-disable no-control-regex */
// biome-ignore-all lint/suspicious/noControlCharactersInRegex: this file is about control characters
/** Colours and weights, the only escape sequences that are let through. */
const SGR = /\x1b\[[0-9;:]*m/y
/** Operating system commands, device strings and the like: with their content, up to their end. */
const STRING_SEQUENCE = /\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?/y
const CONTROL_SEQUENCE = /\x1b\[[0-?]*[ -/]*[@-~]?/y
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

/**
 * A text of an agent or of a sender, safe for a terminal. Colours stay (unless `colours` is false); what moves the
 * cursor, clears, sets a title or a link, or answers a query goes; other control characters are shown as `^G` and the
 * like, and the marks that turn the reading direction as their code. Line feeds and tabs stay as they are.
 */
export function printable(text: string, { colours = false }: { colours?: boolean } = {}): string {
  if (!UNSAFE.test(text)) return text
  let shown = ''
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string
    if (character === '\x1b') {
      const colour = matchAt(SGR, text, at)
      const sequence = colour ?? matchAt(STRING_SEQUENCE, text, at) ?? matchAt(CONTROL_SEQUENCE, text, at)
      if (colour && colours) shown += colour
      if (!sequence) shown += '^['
      at += sequence?.length ?? 1
    } else if (character === '\r' && text[at + 1] === '\n') at++
    else {
      shown += UNSAFE.test(character) ? visible(character) : character
      at++
    }
  }
  return shown
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function visible(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return `^${String.fromCharCode(code + 64)}`
  if (code === 0x7f) return '^?'
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}
