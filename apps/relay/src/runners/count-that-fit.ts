import type { LeasedDelivery } from '@baton/db'

/** One push carries what is leased, up to this many bytes of prompts and bodies: 16 at a time cost 10 % more CPU. */
const PUSH_BYTES = 4 * 1024 * 1024

/** How many leases, from the first on, go into one push: at least one. */
export function countThatFit(leased: LeasedDelivery[]): number {
  let bytes = 0
  const tooMuch = leased.findIndex(({ prompt, event }) => {
    bytes += prompt.length + (event.body?.length ?? 0)
    return bytes > PUSH_BYTES
  })
  return tooMuch === -1 ? leased.length : Math.max(1, tooMuch)
}
