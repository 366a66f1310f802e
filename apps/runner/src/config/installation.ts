import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { ProfilePaths } from './paths.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** The id of this profile on this computer, made at its first start: a restart is told from another computer by it. */
export async function findInstallation(paths: ProfilePaths): Promise<string> {
  const file = join(paths.stateFolder, 'installation')
  const stored = (await readPrivateFile(file))?.trim()
  if (stored && /^[\w-]{8,64}$/.test(stored)) return stored
  const made = randomUUID()
  await writePrivateFile(file, `${made}\n`, { durable: true })
  return made
}
