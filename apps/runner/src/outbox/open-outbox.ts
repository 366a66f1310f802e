import { join } from 'node:path'
import { encodeRunEvent, type RunEventBody } from '@baton/protocol'
import { transcriptStart, transcriptStep } from '@baton/protocol/transcript-hash'
import { createAppendFile } from '../journal/append-file.ts'
import type { Damage } from '../journal/open-record-file.ts'
import { openRecordFile } from '../journal/open-record-file.ts'
import { encodeRecord } from '../journal/record-framing.ts'
import { createTextStore } from './text-store.ts'

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

/** How far the agent's output is represented by the events so far, and what its reader must know to go on. */
export type OutboxPosition = { committed: { stdout: number; stderr: number }; state: JsonValue }

/** One record of events.log. Events and position go together or not at all, so nothing is read twice or skipped. */
type OutboxRecord = { texts: string[] } & OutboxPosition

export type Outbox = {
  /** The number of the last event that survives a kill -9 of this process; 0 for none. */
  readonly lastSeq: number
  /** The rolling hash of the transcript up to `lastSeq`. */
  readonly hash: string
  readonly position: OutboxPosition
  /** What could not be read at opening; null for a whole file. */
  readonly damage: Damage | null
  /**
   * Numbers the events and writes them with the position they bring the run to; `at` is their wall-clock time.
   * Resolves when they would survive a kill -9 (not a power cut: see `sync`). After a rejection (a full disk) the
   * outbox is closed for more: its numbers would no longer match the file. Open it again to go on.
   */
  append(bodies: readonly RunEventBody[], position: OutboxPosition, at?: number): Promise<void>
  /** Encoded events from `fromSeq` on, together at most `maxBytes` but at least one when there is one. */
  read(fromSeq: number, maxBytes: number): Promise<{ fromSeq: number; texts: string[] }>
  /** Resolves when `lastSeq` is above `after` (by default what it is now), or when the signal aborts. */
  changed(signal: AbortSignal, after?: number): Promise<void>
  /** Everything appended before this call is on disk. Call it before the finish record. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** The numbered, hashed transcript of one run on disk. Opened again after a kill -9 it goes on exactly where it was. */
export async function openOutbox(runFolder: string, runId: string): Promise<Outbox> {
  const stored = { seq: 0, hash: transcriptStart(runId), position: startPosition() }
  const path = join(runFolder, 'events.log')
  const texts = createTextStore()
  const opened = await openRecordFile(path, ({ value, offset }) => {
    const record = value as OutboxRecord
    texts.add(record.texts, offset)
    stored.seq += record.texts.length
    for (const text of record.texts) stored.hash = transcriptStep(stored.hash, text)
    stored.position = { committed: record.committed, state: record.state }
  })
  const file = createAppendFile(opened.file, opened.size, { chained: true })
  const waiters = new Set<() => void>()
  let given = { seq: stored.seq, hash: stored.hash, offset: opened.size }

  async function append(bodies: readonly RunEventBody[], position: OutboxPosition, at = Date.now()) {
    const encoded = bodies.map((body) => encodeRunEvent(at, body))
    const frame = encodeRecord({ texts: encoded, committed: position.committed, state: position.state })
    const offset = given.offset
    given = {
      seq: given.seq + encoded.length,
      hash: encoded.reduce(transcriptStep, given.hash),
      offset: offset + frame.length,
    }
    const after = given
    await file.append(frame, false)
    texts.add(encoded, offset)
    Object.assign(stored, { seq: after.seq, hash: after.hash, position })
    for (const wake of [...waiters]) wake()
  }

  return {
    get lastSeq() {
      return stored.seq
    },
    get hash() {
      return stored.hash
    },
    get position() {
      return stored.position
    },
    damage: opened.damage,
    append,
    read: (fromSeq, maxBytes) => texts.read(opened.file, fromSeq, stored.seq, maxBytes),
    changed(signal, after = stored.seq) {
      if (stored.seq > after || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = () => {
          if (stored.seq <= after && !signal.aborted) return
          waiters.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        waiters.add(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    },
    sync: () => file.sync(),
    close: () => file.close(),
  }
}

function startPosition(): OutboxPosition {
  return { committed: { stdout: 0, stderr: 0 }, state: null }
}
