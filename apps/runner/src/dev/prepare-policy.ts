import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { changePolicy } from '../cli/change-policy.ts'
import { defaultPolicy, isFolderAllowed } from '../config/policy.ts'
import { demoAgentFile } from '../entry.ts'

/** Between the demo's steps: enough to see them come, little enough not to wait for. */
const DEMO_PAUSE_MS = 60

/**
 * Lets this machine run the agent that comes with Baton. Its place changes when the checkout moves or Node is updated, so
 * it is written anew when it differs. The first policy also allows the project in which dev was started, when that lies
 * outside the home folder; later ones belong to their owner.
 */
export async function preparePolicy(file: string, startedIn: string): Promise<void> {
  const argv = [process.execPath, demoAgentFile, '--pause', String(DEMO_PAUSE_MS)]
  const demo = { argv, format: 'stream-json' as const }
  const isHome = await isFolderAllowed(defaultPolicy(), startedIn, homedir())
  const project = !isHome && (await isProject(startedIn)) ? [startedIn] : []
  await changePolicy(file, (policy, isNew) => ({
    ...policy,
    folders: isNew ? [...policy.folders, ...project] : policy.folders,
    commands: { ...policy.commands, demo },
  }))
}

async function isProject(folder: string): Promise<boolean> {
  const signs = ['.git', 'package.json'].map((name) =>
    stat(join(folder, name)).then(
      () => true,
      () => false,
    ),
  )
  return (await Promise.all(signs)).includes(true)
}
