import { decodeRunEvent, type RunEvent } from '@baton/protocol'
import { config } from 'zod'

// The page's content security policy forbids `eval`; zod would otherwise try it for speed and be reported.
config({ jitless: true })

/** A stored event as it came, or its text when this page does not know its type: an older page must not hide a line. */
export type LogEvent = RunEvent | { type: 'unknown'; seq: number; at: number; text: string }

export function readEvent(seq: number, text: string): LogEvent {
  try {
    return decodeRunEvent(seq, text)
  } catch {
    return { type: 'unknown', seq, at: 0, text }
  }
}
