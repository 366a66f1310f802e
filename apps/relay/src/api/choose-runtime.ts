import { BatonError, type MachineView, type Runtime } from '@baton/protocol'

/** Which runtime `auto` means, best first. */
const BEST_FIRST = ['claude', 'codex', 'gemini', 'opencode'] as const satisfies readonly Runtime[]

/**
 * The best runtime that is installed and signed in on the machine; where none is known to be signed in, one that could
 * not be asked. What is known to be signed out is never chosen.
 */
export function chooseRuntime({ name, runtimes }: Pick<MachineView, 'name' | 'runtimes'>): Runtime {
  const probeOf = (runtime: Runtime) => runtimes.find((one) => one.runtime === runtime && one.installed)
  const chosen =
    BEST_FIRST.find((runtime) => probeOf(runtime)?.signedIn === 'yes') ??
    BEST_FIRST.find((runtime) => probeOf(runtime)?.signedIn === 'unknown')
  if (chosen !== undefined) return chosen
  const found = BEST_FIRST.map(
    (runtime) => `${runtime}: ${probeOf(runtime) ? 'not signed in' : 'not installed'}`,
  )
  throw new BatonError(
    'bad_input',
    `No agent can be chosen for ${name}: none is installed and signed in there (${found.join(', ')}). Sign one in, or name the runtime command, acp or chat.`,
  )
}
