import type { ErrorKind } from '@baton/protocol'
import type { Refusal } from './admit-delivery.ts'

/** It can never be taken as it stands. */
export function never(errorKind: ErrorKind, message: string): Refusal {
  return { errorKind, message: message.slice(0, 2_000), final: true, retryAfterMs: 0 }
}

/** It can be sent again. */
export function later(errorKind: ErrorKind, message: string, retryAfterMs: number): Refusal {
  return { errorKind, message, final: false, retryAfterMs }
}

export function list(words: readonly string[]): string {
  return words.length > 0 ? words.join(', ') : 'none'
}
