import { literalSegments } from '../log/ansi.ts'

/** Text as it is, byte for byte: what a terminal would obey and what reorders or hides text is visible. Never HTML. */
export function LiteralText({ text }: { text: string }) {
  return literalSegments(text).map(({ text: piece, control }, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other name and never move.
    <span key={index} className={control ? 'ansi-control' : undefined}>
      {piece}
    </span>
  ))
}
