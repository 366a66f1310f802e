import type { HeldState } from '@baton/db'
import type { HelloAnswer } from '@baton/protocol'

type Verdict = HelloAnswer['verdicts'][number]

/** What a runner must do with a delivery that it holds on its disk. */
export function judgeHeld(held: HeldState): Verdict {
  const answer = (verdict: Verdict['verdict'], reason: string): Verdict => ({
    deliveryId: held.deliveryId,
    runId: held.runId,
    verdict,
    ackedSeq: held.ackedSeq,
    reason,
  })
  if (held.runFinished) return answer('settled', 'the relay has the end of this run')
  if (held.state === null) return answer('drop', 'the relay does not know this delivery')
  if (!held.current) return answer('drop', 'the delivery was leased again since')
  if (held.cancelReason !== null) return answer('cancel', held.cancelReason)
  switch (held.state) {
    case 'pending':
    case 'leased':
    case 'running':
    case 'stalled':
      return answer('keep', 'go on')
    default:
      return answer('drop', `the delivery is ${held.state}`)
  }
}
