import { KILL_GRACE_MS } from '@baton/protocol'
import type { StopReason } from '../agents/runtime.ts'

/** Why Baton ends a run. The first request counts. */
export type StopRequest = { reason: StopReason; sentence: string }

/** Time between TERM and KILL. A person who cancels must see the end, with its proof, within two seconds. */
export const STOP_GRACE_MS: Record<StopReason, number> = {
  cancelled: 1_000,
  superseded: 1_000,
  disk_full: 1_000,
  shutdown: 2_000,
  timeout_silence: KILL_GRACE_MS,
  timeout_wall: KILL_GRACE_MS,
}

export function isStopReason(value: string | null): value is StopReason {
  return value !== null && Object.hasOwn(STOP_GRACE_MS, value)
}
