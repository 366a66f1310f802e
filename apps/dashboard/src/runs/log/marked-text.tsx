import { memo } from 'react'
import { toSegments } from './ansi.ts'

/** Text of an agent: colours as classes, control bytes visible, found text marked. Never HTML. */
export const MarkedText = memo(function MarkedText({
  text,
  carry = '',
  find,
}: {
  text: string
  carry?: string
  find: string
}) {
  return toSegments(carry, text).map((segment, index) => (
    <span
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other name and never move.
      key={index}
      className={segment.control ? 'ansi-control' : segment.className || undefined}
      style={
        segment.color || segment.background
          ? { color: segment.color ?? undefined, background: segment.background ?? undefined }
          : undefined
      }
    >
      <Found text={segment.text} find={find} />
    </span>
  ))
})

/** Text of several lines; every line has its own colours. */
export function MarkedLines({ text, find }: { text: string; find: string }) {
  return text.split('\n').map((line, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: as above.
    <span key={index}>
      {index > 0 && '\n'}
      <MarkedText text={line.replace(/\r$/, '')} find={find} />
    </span>
  ))
}

export function Found({ text, find }: { text: string; find: string }) {
  const lower = text.toLowerCase()
  if (find === '' || !lower.includes(find)) return text
  const pieces = []
  let from = 0
  for (let at = lower.indexOf(find); at !== -1; at = lower.indexOf(find, from)) {
    pieces.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + find.length)}</mark>)
    from = at + find.length
  }
  return [...pieces, text.slice(from)]
}
