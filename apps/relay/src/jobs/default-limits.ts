import { MAX_ATTEMPTS, type RunLimits, SILENCE_LIMIT_MS } from '@baton/protocol'

export const DEFAULT_LIMITS: RunLimits = {
  silenceMs: SILENCE_LIMIT_MS,
  wallMs: null,
  maxAttempts: MAX_ATTEMPTS,
  repeatable: false,
}
