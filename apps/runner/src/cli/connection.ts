import { homedir } from 'node:os'
import { BatonError, RELAY_PORT } from '@baton/protocol'
import { Baton } from '@baton/sdk'
import { batonFolders, isProfileName, type ProfilePaths, profilePaths } from '../config/paths.ts'
import { readPrivateFile } from '../config/private-file.ts'
import { readProfile } from '../config/profile.ts'

/** The files of the profile in use: --profile, else BATON_PROFILE, else `default`. */
export function openPaths(env: NodeJS.ProcessEnv, chosen: string | undefined): ProfilePaths {
  const profile = chosen ?? env.BATON_PROFILE ?? 'default'
  if (!isProfileName(profile)) {
    throw new BatonError(
      'bad_input',
      `"${profile}" is no name of a profile: use letters, digits, dot, dash and underscore.`,
    )
  }
  return profilePaths(batonFolders(env, homedir()), profile)
}

/** Where the relay is: BATON_URL, else the profile, else this machine's own relay. */
export async function findRelayUrl(env: NodeJS.ProcessEnv, paths: ProfilePaths): Promise<string> {
  if (env.BATON_URL) return env.BATON_URL
  const profile = await readProfile(paths)
  return profile.ok ? profile.value.url : `http://127.0.0.1:${env.BATON_PORT ?? RELAY_PORT}`
}

/** BATON_TOKEN, else the profile's; undefined when there is none. */
export async function findToken(env: NodeJS.ProcessEnv, paths: ProfilePaths): Promise<string | undefined> {
  return env.BATON_TOKEN ?? (await readPrivateFile(paths.tokenFile))?.trim()
}

export async function openClient(env: NodeJS.ProcessEnv, paths: ProfilePaths): Promise<Baton> {
  const token = await findToken(env, paths)
  if (!token)
    throw new BatonError(
      'not_signed_in',
      `There is no API token: ${paths.tokenFile} is missing and BATON_TOKEN is not set.`,
    )
  return new Baton({ url: await findRelayUrl(env, paths), token, client: 'cli' })
}
