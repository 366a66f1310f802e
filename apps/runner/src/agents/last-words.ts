import { stripVTControlCharacters } from 'node:util'

const MOST_CHARACTERS = 500

/** The last line with something in it, without escape sequences, for an error message; `before` when there is none. */
export function lastWords(before: string, text: string): string {
  const lines = text.slice(-8_192).split('\n').map(plain)
  return lines.findLast((line) => line !== '')?.slice(0, MOST_CHARACTERS) ?? before
}

function plain(line: string): string {
  return stripVTControlCharacters(line)
    .replaceAll(/\p{Cc}/gu, ' ')
    .toWellFormed()
    .trim()
}
