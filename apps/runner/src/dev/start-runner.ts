import { setTimeout as sleep } from 'node:timers/promises'
import { BatonError } from '@baton/protocol'
import { entryFile } from '../entry.ts'
import type { DevPlaces } from './dev-places.ts'
import { type Kept, keepRunning } from './keep-running.ts'
import type { PreparedMachine } from './prepare-machine.ts'
import { startChild } from './start-child.ts'

const ONLINE_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 25

/** The runner as a process of its own. It takes over from one of this profile that a killed dev may have left. */
export function startRunner(
  env: NodeJS.ProcessEnv,
  places: DevPlaces,
  say: (line: string) => void,
): Promise<Kept> {
  const args = [entryFile, 'up', '--foreground', '--takeover', '--profile', places.profile.profile]
  return keepRunning(
    'runner',
    () => startChild({ name: 'runner', args, env, logFile: places.logFile('runner'), saysReady: false }),
    say,
  )
}

/** Waits until the relay sees this machine. */
export async function waitUntilOnline(
  { baton, machineId }: PreparedMachine,
  places: DevPlaces,
): Promise<void> {
  const deadline = Date.now() + ONLINE_WITHIN_MS
  for (;;) {
    const machine = await baton.machines.get(machineId)
    if (machine.state === 'online') return
    if (Date.now() > deadline) {
      throw new BatonError(
        'timeout',
        `The runner did not reach the relay within ${ONLINE_WITHIN_MS / 1000} s: ${machine.cause ?? machine.state}. Its log is ${places.logFile('runner')}.`,
      )
    }
    await sleep(LOOK_EVERY_MS)
  }
}
