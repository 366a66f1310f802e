const JUMP_MS = 15_000

/**
 * Tells that the computer slept: wall time went on by more than 15 s while monotonic time did not, or the process itself
 * stood still for as long between two ticks. A clock that was set forward looks the same and costs one renew.
 */
export function createWakeDetector(clock: { wallMs(): number; monotonicMs(): number }) {
  let wall = clock.wallMs()
  let monotonic = clock.monotonicMs()
  let tickedAt = monotonic
  return {
    /** Whether there was a sleep since the last call. Cheap enough to ask before every write. */
    sleptSinceLastCall(): boolean {
      const [wallBefore, monotonicBefore] = [wall, monotonic]
      wall = clock.wallMs()
      monotonic = clock.monotonicMs()
      return wall - wallBefore - (monotonic - monotonicBefore) > JUMP_MS
    },
    /** Says that the process goes on. Call it every `everyMs`. */
    tick() {
      tickedAt = clock.monotonicMs()
    },
    /** Whether the last tick is so long ago that the process must have been stopped. */
    stoodStill(everyMs: number): boolean {
      return clock.monotonicMs() - tickedAt > everyMs + JUMP_MS
    },
  }
}
