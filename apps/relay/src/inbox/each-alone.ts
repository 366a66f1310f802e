/**
 * Runs a batch; when the database refuses something in it (bad data, a broken rule, too large), runs each item alone, so
 * that one that cannot be stored fails only itself. The answer to such an item is its error.
 */
export async function withEachAlone<Item, Result>(
  items: Item[],
  flush: (items: Item[]) => Promise<Result[]>,
): Promise<(Result | Error)[]> {
  try {
    return await flush(items)
  } catch (error) {
    if (items.length === 1 || !isDataError(error)) throw error
    const results: (Result | Error)[] = []
    for (const item of items) {
      const [result] = await flush([item]).catch((cause: unknown) => [cause as Error])
      results.push(result as Result | Error)
    }
    return results
  }
}

/** Classes 22 (data), 23 (constraints) and 54 (limits): the statement changed nothing and never will. */
export function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && /^(22|23|54)/.test(code)
}
