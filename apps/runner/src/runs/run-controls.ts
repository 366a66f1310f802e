import type { ControlAnswer, LeaseRef, RunControl } from '@baton/protocol'
import type { Logger } from '@baton/service'
import type { Talk } from './talk.ts'

/** What people told one run: kept until its agent can be told, and acknowledged once it is on the disk. */
export type RunControls = {
  /** The same one again, while it is under way, changes nothing. One of another lease is not for this run. */
  receive(control: RunControl): void
  /** The agent can be told from now on; null: not any more. */
  attach(talk: Talk | null): void
}

export function createRunControls(
  lease: LeaseRef,
  acknowledge: (answer: ControlAnswer) => Promise<unknown>,
  logger: Logger,
): RunControls {
  const waiting = new Map<string, RunControl>()
  let talk: Talk | null = null
  let telling = false

  async function tellAll() {
    if (telling) return
    telling = true
    for (let next = first(); next && talk; next = first()) {
      // The agent is told in the order in which people spoke; the relay may be away for long meanwhile.
      await tell(next, talk)
      waiting.delete(next.id)
    }
    telling = false
  }

  const first = () => waiting.values().next().value

  async function tell(control: RunControl, to: Talk) {
    try {
      const outcome = await to.control(control)
      acknowledge({ id: control.id, runId: lease.runId, ...outcome }).catch(() => undefined)
    } catch (error) {
      logger.warn({ error, control: control.id }, 'What a person said could not be stored; it comes again.')
    }
  }

  return {
    receive(control) {
      if (control.fence !== lease.fence || waiting.has(control.id)) return
      waiting.set(control.id, control)
      void tellAll()
    },
    attach(next) {
      talk = next
      void tellAll()
    },
  }
}
