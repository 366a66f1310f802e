import { isUtf8 } from 'node:buffer'

/** Bodies as one text and where each stands in it, in bytes; those that are no text, in hex. */
export function packBodies(bodies: Buffer[]) {
  const texts: Buffer[] = []
  const from: number[] = []
  const bytes: number[] = []
  const binary: (string | null)[] = []
  let offset = 1
  for (const body of bodies) {
    const isText = isUtf8(body) && !body.includes(0)
    from.push(offset)
    bytes.push(isText ? body.length : 0)
    binary.push(isText ? null : body.toString('hex'))
    if (!isText) continue
    texts.push(body)
    offset += body.length
  }
  return { text: Buffer.concat(texts).toString('utf8'), from, bytes, binary }
}
