import { type LogEvent, readEvent } from './read-event.ts'
import { createRowBuilder, type LogRow } from './rows.ts'

export type StoredEvent = { seq: number; text: string }

export type LogSnapshot = {
  rows: readonly LogRow[]
  /** Indexes of the rows that are errors. */
  errors: readonly number[]
  /** The first and last event held; 0 while there is none. */
  firstSeq: number
  lastSeq: number
  /** No more will come. */
  ended: boolean
  /** Why nothing can be shown, or why what is shown may be old; null while all is well. */
  problem: string | null
  loaded: boolean
}

export type LogStore = {
  current: () => LogSnapshot
  subscribe: (listener: () => void) => () => void
  /** Adds what follows the last event; what is already held is passed over. Answers the first missing number, or null. */
  append: (events: readonly StoredEvent[]) => number | null
  prepend: (events: readonly StoredEvent[]) => void
  update: (change: Partial<Pick<LogSnapshot, 'ended' | 'problem' | 'loaded'>>) => void
  lastSeq: () => number
  /** Whether older events may still be loaded without holding too much. */
  hasRoom: () => boolean
}

/** What one tab holds of a log; a longer one is read by the command line or downloaded. */
export const MAX_ROWS = 200_000
const MAX_CHARS = 64 * 1024 * 1024
/** When a log that is followed grows past the limit, this share of it is let go from its start. */
const DROP_SHARE = 0.25

/** Calls `flush` some time soon; `rows` says how many it will show. */
export type Schedule = (flush: () => void, rows: number) => void

/**
 * The events that are loaded, without a gap, and the rows made of them. Readers are told when `schedule`
 * says so, however fast events come.
 */
export function createLogStore(schedule: Schedule): LogStore {
  const listeners = new Set<() => void>()
  let events: LogEvent[] = []
  let builder = createRowBuilder()
  let chars = 0
  let snapshot: LogSnapshot = {
    rows: builder.rows,
    errors: builder.errors,
    firstSeq: 0,
    lastSeq: 0,
    ended: false,
    problem: null,
    loaded: false,
  }
  let pending: Partial<LogSnapshot> = {}
  let scheduled = false

  const lastSeq = () => events.at(-1)?.seq ?? 0

  function publish(change: Partial<LogSnapshot> = {}): void {
    pending = { ...pending, ...change }
    if (scheduled) return
    scheduled = true
    schedule(flush, builder.rows.length)
  }

  function flush(): void {
    scheduled = false
    if (builder.rows.length > MAX_ROWS || chars > MAX_CHARS) dropOldest()
    snapshot = {
      ...snapshot,
      ...pending,
      rows: builder.rows.slice(),
      errors: builder.errors.slice(),
      firstSeq: events[0]?.seq ?? 0,
      lastSeq: lastSeq(),
    }
    pending = {}
    for (const listener of listeners) listener()
  }

  function rebuild(): void {
    builder = createRowBuilder()
    for (const event of events) builder.add(event)
  }

  function dropOldest(): void {
    events = events.slice(Math.ceil(events.length * DROP_SHARE))
    chars = Math.ceil(chars * (1 - DROP_SHARE))
    rebuild()
  }

  return {
    current: () => snapshot,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    append(batch) {
      for (const { seq, text } of batch) {
        const last = lastSeq()
        if (seq <= last) continue
        if (last !== 0 && seq !== last + 1) return last + 1
        const event = readEvent(seq, text)
        events.push(event)
        builder.add(event)
        chars += text.length
      }
      publish()
      return null
    },
    prepend(batch) {
      const first = events[0]?.seq ?? Number.POSITIVE_INFINITY
      const older = batch.filter(({ seq }) => seq < first)
      events = [...older.map(({ seq, text }) => readEvent(seq, text)), ...events]
      chars += older.reduce((sum, { text }) => sum + text.length, 0)
      rebuild()
      publish()
    },
    update: publish,
    lastSeq,
    hasRoom: () => builder.rows.length < MAX_ROWS * (1 - DROP_SHARE) && chars < MAX_CHARS * (1 - DROP_SHARE),
  }
}

const FLUSH_EVERY_MS = 50
/** Each flush costs the list some time for every row that is held, so a long list is flushed less often. */
const FLUSH_MS_PER_ROW = 1 / 1_000

/**
 * At once for the first line after a pause, then up to twenty times a second: however fast lines come, most frames are
 * left for scrolling.
 */
export function calmly(): Schedule {
  let last = 0
  return (flush, rows) => {
    const due = last + FLUSH_EVERY_MS + rows * FLUSH_MS_PER_ROW
    setTimeout(
      () => {
        last = performance.now()
        flush()
      },
      Math.max(0, due - performance.now()),
    )
  }
}
