import { homedir } from 'node:os'
import { join } from 'node:path'
import { type BatonFolders, batonFolders, type ProfilePaths, profilePaths } from '../config/paths.ts'
import { readProfile } from '../config/profile.ts'

/** Where `baton dev` keeps what it owns. */
export type DevPlaces = {
  folders: BatonFolders
  /** The connection of this computer to the relay that dev starts. */
  profile: ProfilePaths
  dataFolder: string
  postgresFolder: string
  secretFile: string
  stateFolder: string
  lockFile: string
  /** Who runs, for a second `baton dev`: { url }. */
  runningFile: string
  logFile(name: string): string
}

/** The profile is `default`, so that every command finds this relay; one that leads to another relay is left alone. */
export async function findDevPlaces(env: NodeJS.ProcessEnv): Promise<DevPlaces> {
  const folders = batonFolders(env, homedir())
  const dataFolder = join(folders.data, 'dev')
  const stateFolder = join(folders.state, 'dev')
  return {
    folders,
    profile: await chooseProfile(folders, env.BATON_PROFILE),
    dataFolder,
    postgresFolder: join(dataFolder, 'postgres'),
    secretFile: join(dataFolder, 'secret'),
    stateFolder,
    lockFile: join(stateFolder, 'dev.lock'),
    runningFile: join(stateFolder, 'dev.json'),
    logFile: (name) => join(stateFolder, `${name}.log`),
  }
}

async function chooseProfile(folders: BatonFolders, chosen: string | undefined): Promise<ProfilePaths> {
  if (chosen) return profilePaths(folders, chosen)
  const usual = profilePaths(folders, 'default')
  const profile = await readProfile(usual)
  const leadsElsewhere =
    profile.ok && !['127.0.0.1', 'localhost', '[::1]'].includes(new URL(profile.value.url).hostname)
  return leadsElsewhere ? profilePaths(folders, 'dev') : usual
}
