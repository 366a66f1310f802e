import { type Fields, parseFields } from '../json-fields.ts'

/** The JSON in the `data` lines of a stream of server-sent events, as it comes. */
export async function* serverEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<Fields> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) yield* dataOf(line)
  }
  yield* dataOf(rest)
}

function dataOf(line: string): Fields[] {
  const [, data] = /^data: ?(.*)$/.exec(line) ?? []
  return data === undefined || data === '[DONE]' ? [] : [parseFields(data)]
}
