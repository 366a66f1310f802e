import type { PushedDelivery, Runtime } from '@baton/protocol'

export const NUDGE = 'Go on where you were interrupted.'

/** CLIs that find a conversation only in the folder where it began. */
const BOUND_TO_FOLDER: ReadonlySet<Runtime> = new Set<Runtime>(['claude', 'gemini', 'opencode'])

/**
 * The delivery with what its agent is told: the prompt, or, where the conversation has it already, only to go on. A
 * conversation that its CLI would not find from this folder is left alone, and the run starts afresh with the prompt.
 */
export function goOnWith(
  delivery: PushedDelivery,
  folder: string,
): { delivery: PushedDelivery; note: string | null } {
  const { sessionId, sessionCwd } = delivery
  if (sessionId === null) return { delivery: { ...delivery, nudge: false }, note: null }
  const isElsewhere =
    sessionCwd !== null && sessionCwd !== folder && BOUND_TO_FOLDER.has(delivery.agent.runtime)
  if (isElsewhere) {
    const note = `Its conversation belongs to ${sessionCwd}, and this run works in ${folder}: it starts afresh.`
    return { delivery: { ...delivery, sessionId: null, nudge: false }, note }
  }
  return { delivery: delivery.nudge ? { ...delivery, prompt: NUDGE } : delivery, note: null }
}
