import { DISPATCH_PAUSES_MS, DISPATCH_TRIES } from '@baton/protocol'

/**
 * How long to wait after try `tries`, with up to a fifth taken away at random so that what failed together does not come
 * back together; null: that was the last one. What the other side asks for counts where it is longer.
 */
export function nextPauseMs(
  tries: number,
  askedMs: number | undefined,
  random: () => number = Math.random,
): number | null {
  if (tries >= DISPATCH_TRIES) return null
  const pause = DISPATCH_PAUSES_MS[tries - 1] ?? 0
  return Math.round(Math.max(pause * (1 - random() / 5), askedMs ?? 0))
}
