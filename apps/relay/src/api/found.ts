import { BatonError } from '@baton/protocol'

/** The same answer for what does not exist and for what belongs to another organization. */
export function found<T>(value: T | null | undefined, what: string, id: string): T {
  if (value === null || value === undefined) {
    throw new BatonError(
      'not_found',
      `There is no ${what} "${id.slice(0, 100)}" here. List what there is, then use its id or name.`,
    )
  }
  return value
}
