import { BatonError } from '@baton/protocol'

/** The promise, or `unavailable` after `limitMs`: then it is not known whether what it was about still happens. */
export async function withinTime<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () =>
      late.reject(
        new BatonError(
          'unavailable',
          'The relay did not get an answer from its database in time. Try again.',
        ),
      ),
    limitMs,
  )
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
