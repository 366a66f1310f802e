import { setTimeout as sleep } from 'node:timers/promises'
import type { MachineView, Runtime } from '@baton/protocol'
import type { Baton } from '@baton/sdk'

const OFFERED_WITHIN_MS = 5_000

/** What keeps an agent of a runtime from working on a machine, as far as that has looked; null where nothing is known to. */
export function probeProblem({ name, runtimes }: MachineView, runtime: Runtime): string | null {
  const probe = runtimes.find((one) => one.runtime === runtime)
  if (probe === undefined) return null
  const isReady = probe.installed && probe.signedIn !== 'no'
  return isReady ? null : `It cannot work on ${name} yet. ${runtime}: ${probe.detail}`
}

/**
 * The machine once it offers a command that its policy file was given this moment; its runner looks every second. A
 * machine that is away, or that takes longer than five seconds, is answered as it is.
 */
export async function whenOffered(
  baton: Baton,
  machine: MachineView,
  runtime: Runtime,
  command: string,
): Promise<MachineView> {
  let now = machine
  const offers = () => now.runtimes.some((one) => one.runtime === runtime && one.commands.includes(command))
  for (const until = performance.now() + OFFERED_WITHIN_MS; performance.now() < until; await sleep(100)) {
    if (now.state !== 'online' || offers()) break
    now = await baton.machines.get(machine.id)
  }
  return now
}
