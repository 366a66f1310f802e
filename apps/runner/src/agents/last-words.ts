const MOST_CHARACTERS = 500

/** The last line with something in it, without escape sequences, for an error message; `before` when there is none. */
export function lastWords(before: string, text: string): string {
  const line = text
    .slice(-8_192)
    .split('\n')
    .findLast((one) => plain(one) !== '')
  return line === undefined ? before : plain(line).slice(0, MOST_CHARACTERS)
}

function plain(line: string): string {
  return (
    line
      // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal control sequences are what is taken out
      .replaceAll(/\u001b(\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(\u0007|\u001b\\)|[@-Z\\-_])/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the other control characters too
      .replaceAll(/[\u0000-\u001f\u007f]/g, ' ')
      .trim()
  )
}
