import type { RunChanges, RunEventBody } from '@baton/protocol'
import type { RunEnd } from '../agents/runtime.ts'
import type { FinishFacts } from './transcript.ts'

/** What one settle may weigh on the wire for its longest text: well under the socket's limit for a message. */
const RESULT_WIRE_BYTES = 200 * 1024

type Ended = {
  exitCode: number | null
  signal: string | null
  endedAt: number
  killProof: FinishFacts['killProof']
}

/** A run's end as it is settled. Texts that are longer than the relay takes are cut and end with "…". */
export function toFinishFacts(
  end: RunEnd,
  ended: Ended,
  times: { startedAt: number | null; firstOutputAt: number | null },
  changes: RunChanges | null,
): FinishFacts {
  return {
    state: end.state,
    outcome: end.outcome,
    errorKind: end.errorKind,
    message: end.message === null ? null : cutText(end.message, 4_000),
    exitCode: ended.exitCode,
    signal: ended.signal,
    sessionId: end.sessionId === null || end.sessionId.length > 200 ? null : end.sessionId,
    usage: end.usage,
    quotaUntil: end.quotaUntil ?? null,
    changes,
    result: end.result === null ? null : cutToWire(end.result),
    killProof: ended.killProof,
    startedAt: times.startedAt,
    firstOutputAt: times.firstOutputAt,
    finishedAt: ended.endedAt,
  }
}

export function finishedEvent(facts: FinishFacts): RunEventBody {
  const { state, outcome, errorKind, message, exitCode, signal } = facts
  return { type: 'finished', state, outcome, errorKind, message, exitCode, signal }
}

function cutText(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

function cutToWire(text: string): string {
  let kept = cutText(text, 256 * 1024)
  while (Buffer.byteLength(JSON.stringify(kept)) > RESULT_WIRE_BYTES)
    kept = cutText(kept, Math.max(1, Math.floor(kept.length * 0.8)))
  return kept
}
