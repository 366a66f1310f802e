import { realpath } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { isFolderAllowed, type Policy } from '../config/policy.ts'

export type OutputPlaces = {
  policy: Policy
  homeFolder: string
  /** The runner's own workspaces and worktrees. */
  workFolders: readonly string[]
  /** The runner's own configuration, state and data: nothing is ever written there but in workspaces. */
  ownFolders: readonly string[]
}

/** A place under a folder that may be written: `root` is a real path, `parts` lead on from it, the file's name last. */
export type OutputPlace = { root: string; parts: string[] }

/**
 * Where a file output may write: inside the workspace of its run, or inside a folder of the policy but not in hidden
 * folders there (a home folder holds keys and shell profiles in them), and never into a repository's own `.git`. Nothing
 * is opened; links on the way are left for the opening to refuse.
 */
export async function resolveOutputPath(
  path: string,
  workspace: string | null,
  places: OutputPlaces,
): Promise<OutputPlace | { problem: string }> {
  const named = path.replace(/^~(?=$|\/)/, places.homeFolder)
  if (named.split(/[\\/]/).includes('..')) return refuse(path, 'it leads upwards (..)')
  if (named.includes('\0') || /[\\/]$/.test(named)) return refuse(path, 'it names no file')
  const root = workspace === null ? null : await allowedWorkspace(workspace, places)
  if (!isAbsolute(named)) {
    if (root === null) {
      return refuse(
        path,
        'it is relative, and the workspace of its run is gone or outside the policy of this machine; give an absolute path',
      )
    }
    return inside(root, join(root, named), path, { hidden: true })
  }
  if (root !== null && isWithin(root, named)) return inside(root, named, path, { hidden: true })
  for (const folder of places.policy.folders) {
    const real = await realpath(folder.replace(/^~/, places.homeFolder)).catch(() => null)
    if (real === null || !isWithin(real, named)) continue
    for (const own of places.ownFolders) {
      if (isWithin(await realpath(own).catch(() => own), named))
        return refuse(path, "it leads into the runner's own files")
    }
    return inside(real, named, path, { hidden: false })
  }
  return refuse(
    path,
    'it is outside the workspace of its run and of the folders in policy.json of this machine',
  )
}

async function allowedWorkspace(workspace: string, places: OutputPlaces): Promise<string | null> {
  const real = await realpath(workspace).catch(() => null)
  if (real === null) return null
  for (const folder of places.workFolders) {
    const own = await realpath(folder).catch(() => null)
    if (own !== null && isWithin(own, real)) return real
  }
  return (await isFolderAllowed(places.policy, real, places.homeFolder)) ? real : null
}

function inside(
  root: string,
  file: string,
  path: string,
  may: { hidden: boolean },
): OutputPlace | { problem: string } {
  const parts = relative(root, file)
    .split(sep)
    .filter((part) => part !== '' && part !== '.')
  if (parts.length === 0) return refuse(path, 'it names no file')
  if (parts.some((part) => part.toLowerCase() === '.git')) return refuse(path, 'it leads into a .git folder')
  if (!may.hidden && parts.some((part) => part.startsWith('.'))) {
    return refuse(path, 'it leads to a hidden file or folder outside the workspace of its run')
  }
  return { root, parts }
}

const isWithin = (root: string, path: string) =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)

const refuse = (path: string, why: string) => ({
  problem: `The file ${path} is not written on this machine: ${why}.`,
})
