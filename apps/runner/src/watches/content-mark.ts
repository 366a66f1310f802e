import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat } from 'node:fs/promises'

const HASHED_BYTES = 16 * 1024 * 1024

/** What a file holds, in few characters: its hash, or its size and time when it is large. `gone` when there is none. */
export async function contentMark(path: string): Promise<string> {
  try {
    const facts = await lstat(path)
    if (!facts.isFile()) return `no file ${facts.ino}`
    if (facts.size > HASHED_BYTES) return `${facts.size} ${facts.mtimeMs}`
    const hash = createHash('sha256')
    for await (const part of createReadStream(path)) hash.update(part as Buffer)
    return hash.digest('base64')
  } catch {
    return 'gone'
  }
}
