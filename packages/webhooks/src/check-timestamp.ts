import { type Refusal, refuse } from './verification.ts'

/** Ten digits hold every second from 2001 to 2286, and leave no room for signs, exponents, spaces or junk. */
const SECONDS = /^[0-9]{10}$/

/**
 * Reads a signed time in Unix seconds and compares it with the clock of the receiver. Both directions count: a
 * time in the future would otherwise stay replayable for as long as its sender likes.
 */
export function checkTimestamp(
  value: string,
  clock: { nowMs: number; toleranceMs: number },
): { ok: true; timestampMs: number } | Refusal {
  if (!SECONDS.test(value)) {
    return refuse('timestamp_malformed', 'its timestamp must be Unix seconds in exactly 10 digits.')
  }
  const timestampMs = Number(value) * 1000
  const aheadMs = timestampMs - clock.nowMs
  // Written so that a clock that is not a number refuses.
  if (!(Math.abs(aheadMs) <= clock.toleranceMs)) {
    const seconds = Math.ceil(Math.abs(aheadMs) / 1000)
    return refuse(
      'timestamp_out_of_tolerance',
      `it was signed ${seconds} s in the ${aheadMs > 0 ? 'future' : 'past'}, and ${clock.toleranceMs / 1000} s ` +
        "are tolerated. Check the sender's clock, and sign each request when it is sent.",
    )
  }
  return { ok: true, timestampMs }
}

/** The seconds to sign. Throws when they do not fit the ten digits that a receiver accepts. */
export function unixSeconds(timestampMs: number): string {
  const seconds = String(Math.floor(timestampMs / 1000))
  if (!SECONDS.test(seconds)) {
    throw new RangeError(`A request cannot be signed for ${timestampMs} ms: pass milliseconds since 1970.`)
  }
  return seconds
}
