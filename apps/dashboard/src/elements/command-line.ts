/** Text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * A `baton` command that reaches the relay of this page. On the relay's own computer the command knows it already;
 * elsewhere its address is said.
 */
export function batonCommand(origin: string, command: string): string {
  const { hostname } = new URL(origin)
  const isHere = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  return isHere ? `npx baton ${command}` : `BATON_URL=${shellWord(origin)} npx baton ${command}`
}
