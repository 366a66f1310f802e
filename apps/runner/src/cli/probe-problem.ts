import type { MachineView, Runtime } from '@baton/protocol'

/** What keeps an agent of a runtime from working on a machine, as far as that has looked; null where nothing is known to. */
export function probeProblem({ name, runtimes }: MachineView, runtime: Runtime): string | null {
  const probe = runtimes.find((one) => one.runtime === runtime)
  if (probe === undefined) return null
  const isReady = probe.installed && probe.signedIn !== 'no'
  return isReady ? null : `It cannot work on ${name} yet. ${runtime}: ${probe.detail}`
}
