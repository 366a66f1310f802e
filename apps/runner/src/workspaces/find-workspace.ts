import { constants } from 'node:fs'
import { access, readdir, realpath, rm, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { makePrivateFolder } from '../config/private-file.ts'

/** Where a run works. `own`: the folder that the runner keeps for the agent, which no policy has to name. */
export type Workspace = { folder: string; own: boolean }

export type WantedWorkspace = {
  path: string | null
  /** The run that gets a new folder of its own, or null. */
  scratchFor: string | null
  agentKey: string
  mustWrite: boolean
}

/** A dot keeps it apart from every agent's key. */
export const SCRATCH_FOLDER = '.scratch'
const SCRATCH_DAYS = 7

/**
 * The folder that a delivery asks for, by its real path, or the agent's own folder, made when it is missing. When it
 * cannot be worked in, `problem` says which folder, what is wrong and what to do.
 */
export async function findWorkspace(
  wanted: WantedWorkspace,
  folders: { workspaces: string; home: string },
): Promise<Workspace | { problem: string }> {
  if (wanted.scratchFor) return keptFolder(join(folders.workspaces, SCRATCH_FOLDER, wanted.scratchFor))
  if (wanted.path === null) return ownFolder(wanted.agentKey, folders.workspaces)
  const path = wanted.path.replace(/^~(?=$|\/)/, folders.home)
  if (!isAbsolute(path))
    return {
      problem: `The workspace "${path}" is no absolute path: give the job a folder like /home/you/project.`,
    }
  try {
    if (!(await stat(path)).isDirectory())
      return { problem: `The workspace ${path} on this machine is not a folder: give the job another one.` }
    await access(path, constants.R_OK | constants.X_OK | (wanted.mustWrite ? constants.W_OK : 0))
    return { folder: await realpath(path), own: false }
  } catch (error) {
    return { problem: describeProblem(path, error as NodeJS.ErrnoException) }
  }
}

async function ownFolder(
  agentKey: string,
  workspacesFolder: string,
): Promise<Workspace | { problem: string }> {
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(agentKey))
    return { problem: `The agent's key "${agentKey}" cannot be the name of a folder: rename the agent.` }
  return keptFolder(join(workspacesFolder, agentKey))
}

async function keptFolder(folder: string): Promise<Workspace | { problem: string }> {
  try {
    await makePrivateFolder(folder)
    return { folder: await realpath(folder), own: true }
  } catch (error) {
    return { problem: describeProblem(folder, error as NodeJS.ErrnoException) }
  }
}

function describeProblem(path: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return `The workspace ${path} does not exist on this machine: make the folder there, or give the job another one.`
    case 'ENOTDIR':
      return `The workspace ${path} leads through something that is not a folder: give the job another one.`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `The workspace ${path} is not open to the runner's user for reading and writing: change its permissions, or give the job another one.`
    default:
      return `The workspace ${path} cannot be used (${error.code ?? error.message}): mend it on this machine, or give the job another one.`
  }
}

/** Removes scratch folders that no run has touched for a week. */
export async function removeOldScratch(workspacesFolder: string, now: number): Promise<void> {
  const parent = join(workspacesFolder, SCRATCH_FOLDER)
  const names = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const name of names) {
    const { mtimeMs } = await stat(join(parent, name))
    if (now - mtimeMs > SCRATCH_DAYS * 86_400_000)
      await rm(join(parent, name), { recursive: true, force: true })
  }
}
