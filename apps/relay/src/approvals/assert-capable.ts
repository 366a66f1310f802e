import { BatonError, type Capability, RUNTIME_CAPABILITIES, type Runtime } from '@baton/protocol'

const DOING: Partial<Record<Capability, string>> = {
  steer: 'takes no message while it works',
  interrupt: 'cannot be interrupted within a run',
}
const INSTEAD: Partial<Record<Capability, string>> = {
  steer: 'Wait for its end and start another run, or cancel this one: baton runs cancel',
  interrupt: 'Cancel the run instead: baton runs cancel',
}

/** Refuses at once what the agent's runtime can never do, so that nothing is stored that nobody would carry out. */
export function assertCapable(
  { key, runtime }: { key: string; runtime: Runtime },
  capability: 'steer' | 'interrupt',
  runId: string,
): void {
  if (RUNTIME_CAPABILITIES[runtime].includes(capability)) return
  throw new BatonError(
    'conflict',
    `The agent ${key} runs with ${runtime}, which ${DOING[capability]}. ${INSTEAD[capability]} ${runId}`,
  )
}
