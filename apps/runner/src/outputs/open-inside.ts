import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readlink, realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { OutputPlace } from './resolve-output-path.ts'

const { O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
const FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
const FILE = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK

export type OpenedFile = { file: FileHandle; path: string }

/**
 * Opens a file for reading and appending, and makes it and its folders where they are missing. No link is followed, in no
 * part of the path, whatever somebody does to the folders meanwhile; and what was opened is looked at afterwards: a plain
 * file with one name, inside the root. Throws an error that says what stood there instead.
 */
export async function openInside(place: OutputPlace): Promise<OpenedFile> {
  const opened = process.platform === 'linux' ? await walkDown(place) : await openByPath(place)
  try {
    const { file } = opened
    const found = await file.stat()
    if (!found.isFile()) throw notThis(opened.path, 'it is no plain file')
    if (found.nlink !== 1) throw notThis(opened.path, 'it has a second name (a hard link) elsewhere')
    if (!opened.path.startsWith(place.root.endsWith(sep) ? place.root : place.root + sep)) {
      throw notThis(opened.path, 'it is outside the allowed folder')
    }
    return opened
  } catch (error) {
    await opened.file.close()
    throw error
  }
}

/** Step by step through open folders: a folder that is swapped for a link after it was opened changes nothing. */
async function walkDown({ root, parts }: OutputPlace): Promise<OpenedFile> {
  let folder = await open(root, FOLDER)
  try {
    for (const part of parts.slice(0, -1)) {
      const next = await openFolder(`${under(folder)}/${part}`, join(root, part))
      await folder.close()
      folder = next
    }
    const name = parts.at(-1) ?? ''
    const file = await openFile(`${under(folder)}/${name}`, join(root, ...parts))
    return { file, path: await readlink(`/proc/self/fd/${file.fd}`) }
  } finally {
    await folder.close()
  }
}

const under = (folder: FileHandle) => `/proc/self/fd/${folder.fd}`

async function openFolder(path: string, shown: string): Promise<FileHandle> {
  try {
    return await open(path, FOLDER)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explained(error, shown)
  }
  await mkdir(path, 0o755).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw explained(error, shown)
  })
  return open(path, FOLDER).catch((error: unknown) => {
    throw explained(error, shown)
  })
}

async function openFile(path: string, shown: string): Promise<FileHandle> {
  return open(path, FILE, 0o644).catch((error: unknown) => {
    throw explained(error, shown)
  })
}

/** Where folders cannot be opened one below the other: by the whole path, and compared with what stands there afterwards. */
async function openByPath({ root, parts }: OutputPlace): Promise<OpenedFile> {
  const path = join(root, ...parts)
  await mkdir(dirname(path), { recursive: true })
  if ((await realpath(dirname(path))) !== dirname(path)) throw notThis(path, 'a link is on the way to it')
  const file = await openFile(path, path)
  const [opened, standing] = await Promise.all([file.stat(), lstat(path)])
  const isSame = opened.dev === standing.dev && opened.ino === standing.ino
  if (isSame && (await realpath(path)) === path) return { file, path }
  await file.close()
  throw notThis(path, 'it was swapped while it was opened')
}

function explained(error: unknown, path: string): Error {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ELOOP') return notThis(path, 'it is a link')
  if (code === 'ENOTDIR') return notThis(path, 'a link or a file stands where a folder should be')
  if (code === 'EISDIR') return notThis(path, 'it is a folder')
  if (code === 'ENXIO') return notThis(path, 'it is no plain file')
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return notThis(path, 'the runner may not write there')
  return error as Error
}

/** `final`: it will not be otherwise the next time. */
function notThis(path: string, why: string): Error {
  return Object.assign(new Error(`The file ${path} is not written: ${why}.`), { final: true })
}
