import type { Ladder } from '@baton/protocol'

/** One stretch of a delivery's way between two steps of the ladder. `to` is null while it is going on. */
export type Stage = {
  name: string
  what: string
  tone: 'wait' | 'prepare' | 'work'
  from: number
  to: number | null
}

const STEPS: { at: keyof Ladder; name: string; what: string; tone: Stage['tone'] }[] = [
  { at: 'storedAt', name: 'Queued', what: 'stored, waiting for its turn', tone: 'wait' },
  { at: 'leasedAt', name: 'Handed over', what: 'pushed to the machine, not on its disk yet', tone: 'wait' },
  {
    at: 'acceptedAt',
    name: 'Preparing',
    what: 'on the machine’s disk, preparing the workspace',
    tone: 'prepare',
  },
  { at: 'startedAt', name: 'Starting', what: 'the agent runs and has said nothing yet', tone: 'prepare' },
  { at: 'firstOutputAt', name: 'Working', what: 'from its first output to its end', tone: 'work' },
]

/**
 * The stretches that happened, in order. A step that never happened (a run without output, a delivery cancelled while
 * it waited) leaves its stretch out, and the one before it lasts until the next that did.
 */
export function stagesOf(ladder: Ladder): Stage[] {
  const reached = STEPS.filter(({ at }) => ladder[at] !== null)
  return reached.map(({ at, name, what, tone }, index) => {
    const next = reached[index + 1]
    const from = ladder[at] as number
    const to = next ? ladder[next.at] : ladder.finishedAt
    // Machine and relay have clocks of their own: a step never ends before it began.
    return { name, what, tone, from, to: to === null ? null : Math.max(from, to) }
  })
}
