import { BatonError } from '@baton/protocol'
import { readTextFile } from '../config/private-file.ts'
import { lockRunner, type RunnerLock } from '../config/runner-lock.ts'
import type { DevPlaces } from './dev-places.ts'

/** Lets one `baton dev` per BATON_HOME live. Throws and names the address of the one that runs. */
export async function holdDev(places: DevPlaces): Promise<RunnerLock> {
  try {
    return await lockRunner({ ...places.profile, lockFile: places.lockFile })
  } catch (error) {
    if (!(error instanceof BatonError) || error.code !== 'conflict') throw error
    const url = await readRunningUrl(places)
    throw new BatonError(
      'conflict',
      `Baton runs here already${url ? `: ${url}` : ' and is just starting'}. Use it, or stop it with Ctrl-C where it was started.`,
      {
        cause: error,
      },
    )
  }
}

async function readRunningUrl({ runningFile }: DevPlaces): Promise<string | undefined> {
  const text = await readTextFile(runningFile)
  return text === null ? undefined : (JSON.parse(text) as { url: string }).url
}
