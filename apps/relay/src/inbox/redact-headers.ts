/** Header names that hold a secret or its proof: kept as a mark that they were there. */
const SECRET = /authorization|cookie|token|secret|signature|api-?key|password/i

/** The headers that are stored with an event and shown to people. At most 100 of them, each cut at 1,000 characters. */
export function redactHeaders(headers: NodeJS.Dict<string[]>): Record<string, string> {
  const kept: Record<string, string> = {}
  let count = 0
  for (const name in headers) {
    if (++count > 100) break
    const values = headers[name]
    if (!values) continue
    kept[name] = SECRET.test(name) ? '[redacted]' : values.join(', ').slice(0, 1_000)
  }
  return kept
}
