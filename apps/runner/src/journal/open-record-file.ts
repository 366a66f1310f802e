import { type FileHandle, open, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readRecords, type StoredRecord } from './read-records.ts'

/** What was found behind the last good record. The bytes are kept beside the file as `<file>.damaged-<length>`. */
export type Damage = { atByte: number; lostBytes: number }

/**
 * Opens a file of records for reading and appending, makes it when it is missing, and hands every good record to
 * `visit`. A torn or corrupt rest (a crash or power cut while appending, or a bad disk) is moved aside and cut off,
 * so that what is appended next follows the last good record.
 */
export async function openRecordFile(
  path: string,
  visit: (record: StoredRecord) => void,
): Promise<{ file: FileHandle; size: number; damage: Damage | null }> {
  const file = await openOrCreate(path)
  try {
    let size = 0
    for await (const record of readRecords(file)) {
      visit(record)
      size = record.offset + record.bytes
    }
    const damage = await cutDamage(path, file, size)
    return { file, size, damage }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const file = await open(path, 'wx+', 0o600)
  await syncFolder(dirname(path))
  return file
}

async function cutDamage(path: string, file: FileHandle, size: number): Promise<Damage | null> {
  const lostBytes = (await file.stat()).size - size
  if (lostBytes <= 0) return null
  const lost = Buffer.alloc(lostBytes)
  await file.read(lost, 0, lostBytes, size)
  await writeFile(`${path}.damaged-${lostBytes}`, lost, { mode: 0o600 })
  await file.truncate(size)
  await file.datasync()
  return { atByte: size, lostBytes }
}

/**
 * Replaces a file in one step that survives a power cut: write aside, fsync, rename, fsync of the folder. Answers the
 * new file, open for reading and writing. When it throws before the rename, the old file stands untouched.
 */
export async function replaceFile(path: string, bytes: Buffer): Promise<FileHandle> {
  const aside = `${path}.new`
  const file = await open(aside, 'w+', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
    await rename(aside, path)
    await syncFolder(dirname(path))
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Makes the names in a folder durable. Windows cannot open folders and needs no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
