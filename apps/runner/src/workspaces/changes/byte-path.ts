/**
 * A path as git gives it: bytes, of which no encoding is known. It is kept with one character for each byte (latin1), so
 * that it can be compared and split, and turned back into exactly the same bytes.
 */
export type BytePath = string

export function toBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1')
}

/** The path for the file system: root and path joined as bytes. */
export function under(root: string, path: BytePath): Buffer {
  return Buffer.concat([Buffer.from(root), Buffer.from('/'), toBytes(path)])
}

/** For people: bytes that are no UTF-8 are shown as replacement characters. */
export function toText(path: BytePath): string {
  return toBytes(path).toString('utf8')
}

export function fromText(path: string): BytePath {
  return Buffer.from(path).toString('latin1')
}
