import type { Page } from '@baton/protocol'

/** Walks every item of a list, asking for the next page only when it is reached. `break` ends it at no cost. */
export async function* listPages<T>(
  ask: (cursor: string | null) => Promise<Page<T>>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | null = null
  do {
    const page: Page<T> = await ask(cursor)
    yield* page.items
    cursor = page.nextCursor
  } while (cursor !== null)
}
