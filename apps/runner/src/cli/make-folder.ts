import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder with those above it, readable by their owner only; one that is there stays as it is. Each is made by
 * itself: `mkdir` with `recursive` never ends below /proc, where a folder cannot be made and "does not exist".
 */
export async function makeFolder(folder: string): Promise<void> {
  const path = resolve(folder)
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory()) return
  if (!found && dirname(path) !== path) await makeFolder(dirname(path))
  await mkdir(path, { mode: 0o700 })
}
