/**
 * Characters that a person who reads the text does not see and a model does: zero width, direction marks and
 * overrides, soft hyphens, variation selectors, tag characters, and control characters except tab and new line.
 */
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}]|(?![\t\n])\p{Cc}/gu

export type CleanText = { text: string; hidden: number; comments: number }

/** A text of strangers without what its readers on GitHub do not see, and how much that was. */
export function cleanText(text: string): CleanText {
  const visible = text.toWellFormed().replaceAll('\r\n', '\n').replaceAll('\r', '\n').replace(HIDDEN, '')
  const { text: shown, count } = withoutComments(visible)
  return {
    text: shown,
    hidden: text.replaceAll('\r', '').length - visible.replaceAll('\r', '').length,
    comments: count,
  }
}

/** HTML comments, also those that only appear when another was taken out. */
function withoutComments(text: string): { text: string; count: number } {
  let { text: kept, count } = withoutOuterComments(text)
  for (let again = 0; kept.includes('<!--') && again < 10; again += 1) {
    const next = withoutOuterComments(kept)
    kept = next.text
    count += next.count
  }
  return { text: kept.replaceAll('<!--', ''), count }
}

/** Also one that is never closed, in one pass over the text. */
function withoutOuterComments(text: string): { text: string; count: number } {
  let kept = ''
  let count = 0
  let at = 0
  for (;;) {
    const start = text.indexOf('<!--', at)
    if (start === -1) return { text: kept + text.slice(at), count }
    kept += text.slice(at, start)
    count += 1
    const end = text.indexOf('-->', start + 4)
    if (end === -1) return { text: kept, count }
    at = end + 3
  }
}

/** Every text in a JSON value cleaned, keys too. */
export function cleanValue(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value).text
  if (Array.isArray(value)) return value.map(cleanValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [cleanText(key).text, cleanValue(inner)]),
  )
}
