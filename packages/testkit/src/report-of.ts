import { randomUUID } from 'node:crypto'
import type { LeaseRef, SettleReport } from '@baton/protocol'
import { transcriptHash } from '@baton/protocol/transcript-hash'

/** How a run ended: well, just now and without a transcript, but for what is said otherwise. */
export function reportOf(
  { deliveryId, runId, fence }: LeaseRef,
  only: Partial<SettleReport> = {},
): SettleReport {
  const now = Date.now()
  return {
    deliveryId,
    runId,
    fence,
    finishKey: randomUUID(),
    state: 'succeeded',
    outcome: 'done',
    errorKind: null,
    message: null,
    exitCode: 0,
    signal: null,
    sessionId: null,
    usage: null,
    result: 'ok',
    quotaUntil: null,
    changes: null,
    spawn: null,
    killProof: null,
    finalSeq: 0,
    finalHash: transcriptHash(runId, []),
    startedAt: now,
    firstOutputAt: now,
    finishedAt: now,
    ...only,
  }
}
