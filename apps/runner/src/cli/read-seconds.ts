import { BatonError } from '@baton/protocol'

/** `--timeout 90`, in ms; null when it was not given. */
export function readSeconds(given: string | undefined): number | null {
  if (given === undefined) return null
  const seconds = Number(given)
  if (!Number.isFinite(seconds) || seconds < 1)
    throw new BatonError('bad_input', `--timeout ${given}: give a number of seconds, 1 or more.`)
  return Math.round(seconds * 1000)
}
