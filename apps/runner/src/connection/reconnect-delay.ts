import { RECONNECT_BASE_MS, RECONNECT_CAP_MS } from '@baton/protocol'

/**
 * How long to wait before try number `failures` + 1: anything between 0 and a limit that doubles from 0.5 s to 30 s (full
 * jitter), so that a thousand runners that lost one relay do not come back in step. `random` is in [0, 1).
 */
export function reconnectDelay(failures: number, random: () => number): number {
  return random() * Math.min(RECONNECT_CAP_MS, RECONNECT_BASE_MS * 2 ** Math.min(failures, 16))
}
