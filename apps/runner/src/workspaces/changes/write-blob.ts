import { createHash, randomUUID } from 'node:crypto'
import { constants, createReadStream, createWriteStream, type Stats } from 'node:fs'
import { access, mkdir, open, readlink, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createDeflate, deflateSync } from 'node:zlib'

export type HashName = 'sha1' | 'sha256'
/** What git calls a file: its mode and the id of its content. */
export type BlobEntry = { mode: '100644' | '100755' | '120000'; id: string }

const SMALL_BYTES = 1024 * 1024

/**
 * Stores a file's or link's content as git does, byte for byte: no filter, no line ending and no link is followed. Null when
 * it is neither of the two, or changed while it was read.
 */
export async function writeBlob(
  objects: string,
  hash: HashName,
  path: Buffer,
  stat: Stats,
): Promise<BlobEntry | null> {
  if (stat.isSymbolicLink()) {
    const target = await readlink(path, { encoding: 'buffer' })
    return { mode: '120000', id: await storeSmall(objects, hash, target) }
  }
  if (!stat.isFile()) return null
  const mode = stat.mode & 0o100 ? '100755' : '100644'
  // Nobody may put a link or a pipe in its place meanwhile.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { size } = await file.stat()
    if (size <= SMALL_BYTES) {
      const content = await file.readFile()
      return content.length === size ? { mode, id: await storeSmall(objects, hash, content) } : null
    }
    const id = await storeLarge(objects, hash, file.fd, size)
    return id === null ? null : { mode, id }
  } finally {
    await file.close()
  }
}

/** The id that the content of a file or link has now, without storing anything; null when there is neither. */
export async function hashFile(hash: HashName, path: Buffer, stat: Stats): Promise<BlobEntry | null> {
  if (stat.isSymbolicLink()) {
    const target = await readlink(path, { encoding: 'buffer' })
    return { mode: '120000', id: idOf(hash, target) }
  }
  if (!stat.isFile()) return null
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const id = await hashOpen(hash, file.fd, (await file.stat()).size)
    return id === null ? null : { mode: stat.mode & 0o100 ? '100755' : '100644', id }
  } finally {
    await file.close()
  }
}

async function storeSmall(objects: string, hash: HashName, content: Buffer): Promise<string> {
  const id = idOf(hash, content)
  await store(objects, id, (to) =>
    writeFile(to, deflateSync(Buffer.concat([header(content.length), content]), { level: 1 }), {
      mode: 0o400,
    }),
  )
  return id
}

async function storeLarge(objects: string, hash: HashName, fd: number, size: number): Promise<string | null> {
  const id = await hashOpen(hash, fd, size)
  if (id === null) return null
  let isSame = true
  await store(objects, id, async (to) => {
    const counting = createHash(hash).update(header(size))
    const content = async function* () {
      yield header(size)
      for await (const part of readFrom(fd)) {
        counting.update(part)
        yield part
      }
    }
    await pipeline(content, createDeflate({ level: 1 }), createWriteStream(to, { mode: 0o400 }))
    isSame = counting.digest('hex') === id
    return isSame
  })
  return isSame ? id : null
}

async function hashOpen(hash: HashName, fd: number, size: number): Promise<string | null> {
  const counting = createHash(hash).update(header(size))
  let bytes = 0
  for await (const part of readFrom(fd)) {
    bytes += part.length
    counting.update(part)
  }
  return bytes === size ? counting.digest('hex') : null
}

const readFrom = (fd: number): AsyncIterable<Buffer> =>
  createReadStream('', { fd, start: 0, autoClose: false, highWaterMark: SMALL_BYTES })

const header = (size: number) => Buffer.from(`blob ${size}\0`)

function idOf(hash: HashName, content: Buffer): string {
  return createHash(hash).update(header(content.length)).update(content).digest('hex')
}

/** Puts an object in place by rename, unless it is there. `write` answers false when what it wrote is not to be kept. */
async function store(objects: string, id: string, write: (to: string) => Promise<unknown>): Promise<void> {
  const folder = join(objects, id.slice(0, 2))
  const path = join(folder, id.slice(2))
  if (await exists(path)) return
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const aside = join(folder, `tmp_obj_${randomUUID()}`)
  try {
    if ((await write(aside)) === false) return
    await rename(aside, path)
  } finally {
    await rm(aside, { force: true })
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
