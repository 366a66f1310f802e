import { setTimeout as wait } from 'node:timers/promises'

const TRIES = 4
const BASE_MS = 10

/**
 * Repeats a statement that the server gave up without changing anything: a deadlock, a serialization failure, or a lease
 * that met another one in the same lane (the next snapshot shows it). A statement whose outcome is unknown, because its
 * connection was lost, is never repeated here.
 */
export async function withRetries<T>(run: () => PromiseLike<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (error) {
      if (attempt === TRIES || !changedNothing(error)) throw error
      await wait(BASE_MS * 2 ** attempt * Math.random())
    }
  }
}

function changedNothing(error: unknown): boolean {
  const { code, constraint_name: constraint } = error as { code?: string; constraint_name?: string }
  return (
    code === '40P01' ||
    code === '40001' ||
    (code === '23505' && constraint?.startsWith('deliveries_one_') === true)
  )
}
