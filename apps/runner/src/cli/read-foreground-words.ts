export type ForegroundOptions = { profile?: string; takeover: boolean }

/** `baton up --foreground` and nothing but `--takeover` and `--profile <name>` beside it, as services start a runner. Else null. */
export function readForegroundWords(words: readonly string[]): ForegroundOptions | null {
  const [first, ...rest] = words
  if (first !== 'up' || !rest.includes('--foreground')) return null
  const options: ForegroundOptions = { takeover: false }
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]
    const next = rest[at + 1]
    if (word === '--takeover') options.takeover = true
    else if (word === '--profile' && next !== undefined && !next.startsWith('-')) {
      options.profile = next
      at += 1
    } else if (word !== '--foreground') return null
  }
  return options
}
