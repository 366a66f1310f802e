import type { MachineView, Runtime } from '@baton/protocol'

/** What keeps an agent of a runtime from working on a machine, as far as that has looked; null where nothing is known to. */
export function probeProblem({ name, runtimes }: MachineView, runtime: Runtime): string | null {
  const probe = runtimes.find((one) => one.runtime === runtime)
  if (probe === undefined) return null
  if (!probe.installed) return `It cannot work yet: ${runtime} is not installed on ${name}. ${probe.detail}`
  if (probe.signedIn !== 'no') return null
  return `It cannot work yet: ${runtime} is not signed in on ${name}. ${probe.detail}`
}
