/**
 * Whether a text fits a pattern of `*` (anything but a slash), `**` (anything) and `?` (one character but a slash); all
 * else stands for itself. It goes back to the last `*` and the last `**` only, so its time is bounded by the square of the
 * lengths and no pattern or text can make it explode.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0
  let in_ = 0
  let star: { pattern: number; text: number } | null = null
  let deep: { pattern: number; text: number } | null = null
  while (at < text.length) {
    if (pattern.startsWith('**', in_)) {
      // `**/` also stands for no folder at all.
      in_ += pattern[in_ + 2] === '/' && (in_ === 0 || pattern[in_ - 1] === '/') ? 3 : 2
      deep = { pattern: in_, text: at }
      star = null
    } else if (pattern[in_] === '*') {
      in_ += 1
      star = { pattern: in_, text: at }
    } else if (in_ < pattern.length && (pattern[in_] === text[at] || isAny(pattern[in_], text[at]))) {
      in_ += 1
      at += 1
    } else if (star && text[star.text] !== '/') {
      star.text += 1
      at = star.text
      in_ = star.pattern
    } else if (deep) {
      deep.text = nextStart(pattern, text, deep)
      if (deep.text > text.length) return false
      at = deep.text
      in_ = deep.pattern
      star = null
    } else return false
  }
  while (pattern[in_] === '*') in_ += 1
  return in_ === pattern.length
}

const isAny = (one: string | undefined, other: string | undefined) => one === '?' && other !== '/'

/** After `**\/` only the beginnings of path parts can follow; after a plain `**` anything can. */
function nextStart(pattern: string, text: string, deep: { pattern: number; text: number }): number {
  if (pattern[deep.pattern - 1] !== '/') return deep.text + 1
  const slash = text.indexOf('/', deep.text)
  return slash === -1 ? text.length + 1 : slash + 1
}
