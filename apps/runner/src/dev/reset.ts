import { rm } from 'node:fs/promises'
import type { DevPlaces } from './dev-places.ts'

/** Deletes what dev keeps: its database, this computer's profile in it, and the runner's state. Agents' workspaces stay. */
export async function resetDev({ dataFolder, postgresFolder, profile }: DevPlaces): Promise<void> {
  const files = [profile.profileFile, profile.keyFile, profile.tokenFile]
  for (const file of files) await rm(file, { force: true })
  for (const folder of [profile.stateFolder, dataFolder]) await rm(folder, { recursive: true, force: true })
  await removeElsewhere(postgresFolder)
}

/** Where Postgres had to run as another user, its data lies in a folder that this user can enter: see makeReachable. */
async function removeElsewhere(postgresFolder: string): Promise<void> {
  const shared = `/var/lib/baton/postgres/${postgresFolder.replaceAll('/', '_')}`
  await rm(shared, { recursive: true, force: true })
  await rm(`${shared}.password`, { force: true })
}
