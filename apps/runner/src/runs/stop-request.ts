import { KILL_GRACE_MS } from '@baton/protocol'
import { STOPPED, type Verdict } from '../agents/run-ends.ts'
import type { StopReason } from '../agents/runtime.ts'

/** Why Baton ends a run. The first request counts. */
export type StopRequest = { reason: StopReason; sentence: string }

/** The relay said so without the words of the person who asked; those come too, and then replace this. */
export const CANCELLED: StopRequest = { reason: 'cancelled', sentence: 'It was cancelled.' }

/** The supervisor's word for an agent that had said its last and did not exit: no reason against how it went. */
export const FINISHED = 'finished'

export const LEASE_LOST: StopRequest = {
  reason: 'superseded',
  sentence: 'Its lease was given to a newer attempt.',
}

/** What a person asked for, in their words. */
export function cancelRequest(words: string): StopRequest {
  const isKnown = words.trim() !== '' && words !== CANCELLED.sentence
  return isKnown ? { reason: 'cancelled', sentence: `Cancelled: ${words.trim()}` } : CANCELLED
}

export function mayReplace(current: StopRequest, next: StopRequest): boolean {
  return current === CANCELLED && next.reason === 'cancelled'
}

/** What a run came to that was ended like this. */
export function stoppedVerdict({ reason, sentence }: StopRequest): Verdict {
  return reason === 'cancelled' ? { ...STOPPED.cancelled, message: sentence } : STOPPED[reason]
}

/** Time between TERM and KILL. A person who cancels must see the end, with its proof, within two seconds. */
export const STOP_GRACE_MS: Record<StopReason, number> = {
  cancelled: 1_000,
  superseded: 1_000,
  budget: 1_000,
  disk_full: 1_000,
  shutdown: 2_000,
  timeout_silence: KILL_GRACE_MS,
  timeout_wall: KILL_GRACE_MS,
}

export function isStopReason(value: string | null): value is StopReason {
  return value !== null && Object.hasOwn(STOP_GRACE_MS, value)
}
