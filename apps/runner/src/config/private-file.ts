import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/**
 * Makes the folder and its missing parents readable by this user only. One that exists keeps its mode. Each is made by
 * itself: `mkdir` with `recursive` never ends below /proc, where a new folder "does not exist".
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  const path = resolve(folder)
  if (await isFolder(path)) return
  if (dirname(path) !== path) await makePrivateFolder(dirname(path))
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!(await isFolder(path))) throw error
  }
}

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

/**
 * Replaces a file in one step: a reader sees the old text or the new one, whole, and nobody but this user can read it.
 * With `durable` the text is on the disk when this returns.
 */
export async function writePrivateFile(
  file: string,
  text: string,
  options?: { durable: boolean },
): Promise<void> {
  await makePrivateFolder(dirname(file))
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      if (options?.durable) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** The file's text, or null when there is none. One that others could read is closed to them first. */
export async function readPrivateFile(file: string): Promise<string | null> {
  try {
    const handle = await open(file, 'r')
    try {
      const { mode } = await handle.stat()
      if (mode & 0o077) await chmod(file, 0o600)
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export async function readTextFile(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
