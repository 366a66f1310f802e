import type { EncodedRunEvent } from '@baton/protocol'

/** Another relay may have stored something and its hint got lost. */
export const LOOK_EVERY_MS = 5_000
const RECENT_BYTES = 1024 * 1024
const PAGE_EVENTS = 2_000

/** What one viewer asks the database serves all others who need the same. `hints` had been heard by then. */
type Asked<T> = { hints: number; at: number; answeredAt: number | null; answer: Promise<T> }

/** A run that somebody watches. */
export type WatchedRun = ReturnType<typeof createWatchedRun>

/**
 * Its newest events, kept by reference for all its viewers, and what is asked about it on behalf of all of them: however
 * many they are, a hint costs one look at the database.
 */
export function createWatchedRun(
  find: (afterSeq: number, limit: number) => Promise<EncodedRunEvent[]>,
  findEnd: () => Promise<boolean>,
) {
  const viewers = new Set<() => void>()
  const looks = new Map<number, Asked<EncodedRunEvent[]>>()
  let end: Asked<boolean> | null = null
  let recent: EncodedRunEvent[] = []
  let bytes = 0
  let hints = 0

  function ask<T>(answer: Promise<T>): Asked<T> {
    const asked: Asked<T> = { hints, at: performance.now(), answeredAt: null, answer }
    const answered = () => {
      asked.answeredAt = performance.now()
    }
    answer.then(answered, answered)
    return asked
  }

  /** Nothing was heard since it was asked, and it is not so old that a hint may have been lost. */
  const holds = (asked: Asked<unknown>) =>
    asked.hints === hints && performance.now() - asked.at < LOOK_EVERY_MS / 2

  /** Null when memory does not reach back to the cursor, or does not go beyond it: then the database is asked. */
  function recentAfter(cursor: number): EncodedRunEvent[] | null {
    const first = recent[0]
    const last = recent.at(-1)
    if (!first || !last || first.seq > cursor + 1 || last.seq <= cursor) return null
    return recent.slice(cursor + 1 - first.seq, cursor + 1 - first.seq + PAGE_EVENTS)
  }

  async function look(cursor: number, notBefore: number): Promise<EncodedRunEvent[]> {
    const before = looks.get(cursor)
    if (before && holds(before) && before.at >= notBefore) return await before.answer
    for (const [at, asked] of looks) if (asked.answeredAt !== null && !holds(asked)) looks.delete(at)
    const asked = ask(find(cursor, PAGE_EVENTS))
    looks.set(cursor, asked)
    let isTheEnd = false
    try {
      const items = await asked.answer
      isTheEnd = items.length === 0
      const newest = recent.at(-1)
      if (!isTheEnd && (!newest || newest.seq === cursor)) run.remember(items)
      return items
    } finally {
      // That there is nothing more is kept for all who come to the same end; pages would be many.
      if (!isTheEnd && looks.get(cursor) === asked) looks.delete(cursor)
    }
  }

  const run = {
    viewers,

    /** There may be more of it, or it may have ended. */
    wake() {
      hints++
      for (const viewer of viewers) viewer()
    },

    /** Keeps the next events, and no more than about a MiB. */
    remember(items: readonly EncodedRunEvent[]) {
      const newest = recent.at(-1)
      if (newest && newest.seq + 1 !== items[0]?.seq) {
        recent = []
        bytes = 0
      }
      for (const item of items) {
        recent.push(item)
        bytes += item.text.length
      }
      let drop = 0
      while (bytes > RECENT_BYTES && drop < recent.length) bytes -= recent[drop++]?.text.length ?? 0
      if (drop > 0) recent = recent.slice(drop)
    },

    /** The next events after the cursor. None: at `notBefore` at the earliest there was nothing more. */
    async after(cursor: number, notBefore: number): Promise<EncodedRunEvent[]> {
      return recentAfter(cursor) ?? (await look(cursor, notBefore))
    },

    /** When it was known that the run has ended, or null. */
    async endedAt(): Promise<number | null> {
      const asked = end && holds(end) ? end : ask(findEnd())
      end = asked
      return (await asked.answer) ? asked.answeredAt : null
    },
  }
  return run
}
