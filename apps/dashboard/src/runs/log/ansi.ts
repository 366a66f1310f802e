import Anser from 'anser'

/** A piece of a line in one look. `control` marks bytes that a terminal would obey; here they are shown as text. */
export type Segment = {
  text: string
  className: string
  color: string | null
  background: string | null
  control: boolean
}

/** A code that sets colours or weight: what `SGR_CODE` matches is all that a line may do to how it looks. */
export const SGR_CODE = '\u001b\\[[\\d;]*m'
const SGR = new RegExp(`(${SGR_CODE})`)
/** All that is invisible and is no tab: controls, what reorders or hides text, halves of characters; not emoji's joiner. */
const CONTROL = /(?![\t\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Splits a line at its colour codes. `carry` is the codes in force before it. Never makes HTML. */
export function toSegments(carry: string, text: string): Segment[] {
  if (carry === '' && !text.includes('\u001b')) return splitControls(text, PLAIN)
  const colours = new Anser()
  const segments: Segment[] = []
  let look = PLAIN
  for (const piece of (carry + text).split(SGR)) {
    if (piece === '') continue
    if (SGR.test(piece)) look = lookAfter(colours, piece)
    else segments.push(...splitControls(piece, look))
  }
  return segments
}

/** The line as it is searched and copied: without colour codes, every other control byte visible. */
export function plainText(text: string): string {
  return text.includes('\u001b')
    ? text
        .split(SGR)
        .filter((_, index) => index % 2 === 0)
        .join('')
    : text
}

type Look = Pick<Segment, 'className' | 'color' | 'background'>
const PLAIN: Look = { className: '', color: null, background: null }

function lookAfter(colours: Anser, code: string): Look {
  // One character after the code, so that anser answers with the look of what follows it.
  const [entry] = colours.ansiToJson(`${code} `, { json: true, use_classes: true, remove_empty: true })
  if (!entry?.was_processed) return PLAIN
  const reversed = entry.decorations.includes('reverse')
  const [fg, bg] = reversed ? [entry.bg ?? 'ansi-white', entry.fg ?? 'ansi-black'] : [entry.fg, entry.bg]
  const [fgRgb, bgRgb] = reversed
    ? [entry.bg_truecolor, entry.fg_truecolor]
    : [entry.fg_truecolor, entry.bg_truecolor]
  const decorations = entry.decorations.filter((name) => DECORATIONS.has(name)).map((name) => `ansi-${name}`)
  const classes = [named(fg) && `${fg}-fg`, named(bg) && `${bg}-bg`, ...decorations].filter(Boolean)
  return {
    className: classes.join(' '),
    color: bg && !named(bg) && !fg ? 'var(--color-card)' : named(fg) ? null : rgbOf(fg, fgRgb),
    background: named(bg) ? null : rgbOf(bg, bgRgb),
  }
}

/** Blinking is left out, and hidden text is shown: a log hides nothing. */
const DECORATIONS = new Set(['bold', 'dim', 'italic', 'underline', 'strikethrough'])

const named = (name: string | null) =>
  name !== null && /^ansi-(bright-)?[a-z]+$/.test(name) && name !== 'ansi-truecolor'

/** A free colour, pulled towards the text's own so that it stays readable in both themes. */
function rgbOf(name: string | null, truecolor: string | null): string | null {
  if (name === null) return null
  const index = /^ansi-palette-(\d+)$/.exec(name)?.[1]
  const rgb = index === undefined ? truecolor : paletteRgb(Number(index))
  return rgb && `color-mix(in oklab, rgb(${rgb}) 65%, var(--color-ink))`
}

/** The 6×6×6 cube and the greys of the 256-colour palette. */
function paletteRgb(index: number): string {
  if (index >= 232)
    return Array(3)
      .fill(8 + (index - 232) * 10)
      .join(', ')
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40)
  const cube = index - 16
  return [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level).join(', ')
}

/** The text as it is: a colour code is shown, too, and colours nothing. */
export const literalSegments = (text: string): Segment[] => splitControls(text, PLAIN)

function splitControls(text: string, look: Look): Segment[] {
  const segments: Segment[] = []
  let from = 0
  for (const match of text.matchAll(CONTROL)) {
    if (match.index > from) segments.push({ ...look, text: text.slice(from, match.index), control: false })
    segments.push({ ...look, text: visible(match[0]), control: true })
    from = match.index + match[0].length
  }
  if (from < text.length) segments.push({ ...look, text: text.slice(from), control: false })
  return segments
}

/** "^[" for the C0 controls, as terminals write them, "⟨U+202E⟩" for the rest: signs that every font has. */
function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (code < 0x20 || code === 0x7f) return `^${String.fromCharCode(code ^ 0x40)}`
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
}
