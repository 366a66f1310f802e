import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, realpath, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Runtime } from '@baton/protocol'
import { makePrivateFolder } from '../config/private-file.ts'
import { AGENT_STATE } from './agent-state.ts'
import type { Environment } from './engine.ts'

/** The folders that a container shares with this machine besides the workspace; its agent may write in all of them. */
export const containerFolders = (parent: string, key: string) => {
  const folder = join(parent, key)
  return {
    folder,
    home: join(folder, 'home'),
    run: (runId: string) => join(folder, 'runs', runId),
  }
}

/**
 * Copies what the agent's CLI needs to be signed in into the container's home. The originals are never mounted, so whatever
 * the agent does to its copies, the login of this machine's user stays as it is. The CLI's own sessions stay in that home
 * between runs, or none could be gone on with.
 */
export async function fillHome(
  home: string,
  runtime: Runtime,
  hostHome: string,
  environment: Environment,
): Promise<void> {
  await makePrivateFolder(home)
  const { credentials, movedBy } = AGENT_STATE[runtime]
  const moved = movedBy === null ? undefined : environment[movedBy.name]
  for (const file of credentials) {
    const from =
      movedBy !== null && moved !== undefined && file.startsWith(`${movedBy.folder}/`)
        ? join(moved, file.slice(movedBy.folder.length + 1))
        : join(hostHome, file)
    const to = join(home, file)
    if (!(await lstat(from).catch(() => null))) continue
    await mkdir(dirname(to), { recursive: true, mode: 0o700 })
    if (!(await isWithin(home, dirname(to)))) continue
    await rm(to, { recursive: true, force: true })
    // Never through a link that the agent put in its place.
    await copyFile(from, to, constants.COPYFILE_EXCL)
  }
}

/** When no run uses the container, the copies of the login go; the next run brings new ones. */
export async function emptyHome(home: string, runtime: Runtime): Promise<void> {
  for (const file of AGENT_STATE[runtime].credentials) {
    const place = join(home, file)
    if (await isWithin(home, dirname(place))) await rm(place, { force: true })
  }
}

/** Its agent may have put links into the home that lead out of it. */
async function isWithin(home: string, folder: string): Promise<boolean> {
  const [root, real] = await Promise.all([realpath(home), realpath(folder).catch(() => null)])
  return real !== null && (real === root || real.startsWith(`${root}/`))
}
