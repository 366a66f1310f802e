import type { RunEventBody } from '@baton/protocol'
import type { ReaderPosition, ReadSteps, RunReader } from '../runtime.ts'
import { isOpen, maskEvents } from './mask-events.ts'
import type { SecretMask } from './secret-mask.ts'

/** More than this is not held back for what may be a value's beginning; its end is masked instead. */
const MOST_HELD = 4_096

/**
 * A reader whose events hold no value of a secret. While the newest ones end in what may be the beginning of a value they
 * are held back, and the position stays before them: a runner that takes over reads them again.
 */
export function createMaskedReader(reader: RunReader, mask: SecretMask): RunReader {
  let held: RunEventBody[] = []
  let heldFrom: ReaderPosition | null = null

  function pass(call: () => ReadSteps): ReadSteps {
    const before = heldFrom ?? reader.position()
    const { events, asks, ...steps } = call()
    const all = [...held, ...events]
    const isHeld = isOpen(all, mask) && all.length <= MOST_HELD
    held = isHeld ? all : []
    heldFrom = isHeld ? before : null
    return {
      ...steps,
      ...(asks && { asks: mask.deep(asks) }),
      events: isHeld ? [] : maskEvents(all, mask, all.length > MOST_HELD),
    }
  }

  const none: ReadSteps = { events: [] }
  return {
    read: (chunk) => pass(() => reader.read(chunk)),
    flush: () => pass(() => reader.flush()),
    position: () => heldFrom ?? reader.position(),
    ...('answer' in reader && { answer: (ask, given) => pass(() => reader.answer?.(ask, given) ?? none) }),
    ...('steer' in reader && { steer: (message) => pass(() => reader.steer?.(message) ?? none) }),
    ...('interrupt' in reader && { interrupt: () => pass(() => reader.interrupt?.() ?? none) }),
    usageSoFar: () => reader.usageSoFar?.() ?? null,
    end(exit, facts) {
      const { events, end } = reader.end(exit, facts)
      const all = [...held, ...events]
      held = []
      heldFrom = null
      return { events: maskEvents(all, mask, true), end: mask.deep(end) }
    },
  }
}
