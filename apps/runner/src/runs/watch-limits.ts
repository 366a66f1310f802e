import type { StopReason } from '../agents/runtime.ts'

/** How soon after an answer the agent's own silence is counted again, at the latest. */
const AWAITED_LOOK_MS = 1_000

export type LimitWatch = { heard(): void; stop(): void }

/**
 * Says once that a run printed nothing for too long, or went on for too long. Both are counted by the monotonic clock, so
 * a computer that slept through the night does not end its runs in the morning. Silence while `isAwaited` is not the
 * agent's: it waits for a person.
 */
export function watchLimits(
  limits: { silenceMs: number | null; wallMs: number | null; alreadyMs: number },
  onExceeded: (reason: Extract<StopReason, 'timeout_silence' | 'timeout_wall'>) => void,
  isAwaited: () => boolean = () => false,
): LimitWatch {
  let heardAt = performance.now()
  let silence: NodeJS.Timeout | null = null
  const wall =
    limits.wallMs === null
      ? null
      : setTimeout(() => exceed('timeout_wall'), Math.max(0, limits.wallMs - limits.alreadyMs))

  function exceed(reason: 'timeout_silence' | 'timeout_wall') {
    stop()
    onExceeded(reason)
  }

  /** One timer that is set again when it fires early: cheaper than one for each chunk. */
  function armSilence(limitMs: number) {
    if (isAwaited()) heardAt = performance.now()
    const leftMs = limitMs - (performance.now() - heardAt)
    if (leftMs <= 0) exceed('timeout_silence')
    else
      silence = setTimeout(
        () => armSilence(limitMs),
        isAwaited() ? Math.min(leftMs, AWAITED_LOOK_MS) : leftMs,
      )
  }

  function stop() {
    if (wall) clearTimeout(wall)
    if (silence) clearTimeout(silence)
    silence = null
  }

  if (limits.silenceMs !== null) armSilence(limits.silenceMs)
  return {
    heard() {
      heardAt = performance.now()
    },
    stop,
  }
}
