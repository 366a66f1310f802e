import { BatonError } from '@baton/protocol'

/** Runs an insert or update; a name that is taken becomes a conflict that says so. */
export async function unlessTaken<T>(what: string, name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if ((cause as { code?: string }).code === '23505') {
      throw new BatonError(
        'conflict',
        `There is ${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what} "${name}" already. Choose another, or change that one.`,
        { cause },
      )
    }
    throw cause
  }
}
