import { hostname, userInfo } from 'node:os'
import { BatonError, type MachineId } from '@baton/protocol'
import { Baton } from '@baton/sdk'
import { readPrivateFile, writePrivateFile } from '../config/private-file.ts'
import { readMachineKey, readProfile, writeMachineKey, writeProfile } from '../config/profile.ts'
import type { DevPlaces } from './dev-places.ts'
import { preparePolicy } from './prepare-policy.ts'
import { runSetup } from './run-setup.ts'

export type PreparedMachine = {
  baton: Baton
  machineId: MachineId
  machineName: string
  /** A one-time link that signs a browser in. */
  signInUrl: string
}

/**
 * Makes this computer a machine of dev's relay, with a key, a token and a policy in its profile. What is there from an
 * earlier start is used when the relay still takes it; a fresh database gets everything anew.
 */
export async function prepareMachine(
  relayUrl: string,
  relayEnv: NodeJS.ProcessEnv,
  places: DevPlaces,
): Promise<PreparedMachine> {
  await preparePolicy(places.profile.policyFile, process.cwd())
  return (await usePrepared(relayUrl, places)) ?? (await prepareAnew(relayUrl, relayEnv, places))
}

async function usePrepared(
  relayUrl: string,
  { profile: paths }: DevPlaces,
): Promise<PreparedMachine | undefined> {
  const [profile, key, token] = await Promise.all([
    readProfile(paths),
    readMachineKey(paths),
    readPrivateFile(paths.tokenFile),
  ])
  if (!profile.ok || !key.ok || !token) return undefined
  const baton = new Baton({ url: relayUrl, token: token.trim() })
  try {
    const { id, name, state } = await baton.machines.get(profile.value.machineId)
    if (state === 'revoked' || state === 'archived') return undefined
    const { url } = await baton.createSignInLink()
    if (profile.value.url !== relayUrl) await writeProfile(paths, { ...profile.value, url: relayUrl })
    return { baton, machineId: id, machineName: name, signInUrl: url }
  } catch (error) {
    // Of another database: this one knows neither the token nor the machine.
    if (error instanceof BatonError && (error.code === 'not_signed_in' || error.code === 'not_found'))
      return undefined
    throw error
  }
}

async function prepareAnew(
  relayUrl: string,
  relayEnv: NodeJS.ProcessEnv,
  { profile: paths }: DevPlaces,
): Promise<PreparedMachine> {
  const machineName = hostname().split('.')[0] || 'this-computer'
  const answer = await runSetup(relayEnv, {
    organization: 'default',
    userName: userName(),
    machineName,
    wantMachineKey: true,
    wantToken: true,
    wantLink: true,
  })
  if (!answer.machineKey || !answer.token || !answer.linkUrl)
    throw new BatonError('internal', 'The relay made no key, token or link.')
  const machineId = answer.machineId as MachineId
  await writeMachineKey(paths, answer.machineKey)
  await writePrivateFile(paths.tokenFile, `${answer.token}\n`, { durable: true })
  await writeProfile(paths, { url: relayUrl, machineId, machineName })
  return {
    baton: new Baton({ url: relayUrl, token: answer.token }),
    machineId,
    machineName,
    signInUrl: answer.linkUrl,
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'owner'
  }
}
