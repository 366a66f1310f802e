import type { ApprovalSteps } from '@baton/db'
import { decodeRunEvent, type RunEvent, toId } from '@baton/protocol'
import { uuidv7 } from 'uuidv7'

/** Looked for before anything is decoded: of a thousand events none is one of these. */
const OF_PEOPLE = /^\{"at":[\d.]+,"type":"(approval_asked|approval_answered|approval_withdrawn|steer)"/

/** Whether an event is about an approval or about what a person said. */
export const speaksOfPeople = (text: string) => OF_PEOPLE.test(text)

/** What a run's next events do to its approvals and to what was said to it; undefined where they do nothing. */
export function readApprovalSteps(texts: readonly string[]): ApprovalSteps | undefined {
  const events = texts.filter(speaksOfPeople).flatMap(decode)
  if (events.length === 0) return undefined
  const steps: ApprovalSteps = { asked: [], closed: [], steered: [] }
  for (const event of events) {
    if (event.type === 'approval_asked') {
      const { ask, tool, summary, input, inputCut, cwd, actionHash, expiresMs } = event
      const id = toId('approval', uuidv7())
      steps.asked.push({ id, ask, tool, summary, input, inputCut, cwd, actionHash, expiresMs, state: 'open' })
    }
    if (event.type === 'approval_answered') close(steps, event.ask, 'expired')
    if (event.type === 'approval_withdrawn') close(steps, event.ask, 'withdrawn')
    if (event.type === 'steer' && event.state !== 'queued')
      steps.steered.push({ id: event.id, state: event.state })
  }
  return steps
}

/**
 * An answer of a person is on its row before the machine knows it, so what is still open when a machine says that it was
 * answered ran out there.
 */
function close(steps: ApprovalSteps, ask: string, state: 'expired' | 'withdrawn'): void {
  const here = steps.asked.find((one) => one.ask === ask)
  if (here) here.state = state
  else steps.closed.push({ ask, state })
}

/** An event of another version means nothing here; it is stored all the same. */
function decode(text: string): RunEvent[] {
  try {
    return [decodeRunEvent(0, withoutNul(text))]
  } catch {
    return []
  }
}

/** Rows and jsonb cannot hold NUL; the transcript keeps it as it came. */
const withoutNul = (text: string) => text.replaceAll('\\u0000', '\\ufffd')
