import { entryFile } from '../entry.ts'
import type { DevPlaces } from './dev-places.ts'
import { type Kept, keepRunning } from './keep-running.ts'
import { startChild } from './start-child.ts'

/**
 * The runner as a process of its own, connected when this resolves. It takes over from one of this profile that a killed
 * dev may have left. One that is started again is not waited for: the relay may be away at the same time.
 */
export function startRunner(
  env: NodeJS.ProcessEnv,
  places: DevPlaces,
  say: (line: string) => void,
): Promise<Kept> {
  const args = [entryFile, 'up', '--foreground', '--takeover', '--profile', places.profile.profile]
  let saysReady = true
  const start = async () => {
    const child = await startChild({
      name: 'runner',
      args,
      env,
      logFile: places.logFile('runner'),
      saysReady,
    })
    saysReady = false
    return child
  }
  return keepRunning('runner', start, say)
}
