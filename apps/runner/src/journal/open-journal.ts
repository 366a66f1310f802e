import { type AppendFile, createAppendFile } from './append-file.ts'
import { type JournalRecord, runOfRecord } from './journal-record.ts'
import { type Damage, openRecordFile, replaceFile } from './open-record-file.ts'
import { encodeRecord } from './record-framing.ts'

const COMPACT_ABOVE_BYTES = 1024 * 1024

export type Journal = {
  /** The records of every run that is not closed: run by run in the order of acceptance, each run's in order. */
  records(): JournalRecord[]
  /** Resolves when the record is on disk (one fdatasync for all that wait); rejects when it is not. */
  append(record: JournalRecord): Promise<void>
  /** What could not be read when the journal was opened; null for a whole file. */
  readonly damage: Damage | null
  /** Bytes of the file now. */
  readonly size: number
  close(): Promise<void>
}

/**
 * The runner's memory of what it owes the relay. Nothing is accepted or settled before it stands here.
 *
 * Opening ignores a torn or corrupt tail and reports it as `damage`. Closed runs are dropped by rewriting the file in
 * one step, at opening and whenever it is above 1 MiB and mostly closed runs.
 */
export async function openJournal(path: string): Promise<Journal> {
  const live = new Map<string, Buffer[]>()
  let liveBytes = 0
  const opened = await openRecordFile(path, ({ value }) => remember(value as JournalRecord))
  let file: AppendFile = createAppendFile(opened.file, opened.size)
  /** Appends under way or queued behind a compaction. The file is only swapped while there are none. */
  let pending = 0
  let compacting: Promise<void> | null = null

  function remember(record: JournalRecord, frame = encodeRecord(record)): void {
    const run = runOfRecord(record)
    const frames = live.get(run) ?? []
    if (record.kind === 'closed') {
      for (const one of frames) liveBytes -= one.length
      live.delete(run)
      return
    }
    liveBytes += frame.length
    live.set(run, [...frames, frame])
  }

  async function append(record: JournalRecord): Promise<void> {
    const frame = encodeRecord(record)
    while (compacting) await compacting
    pending += 1
    try {
      await file.append(frame, true)
      remember(record, frame)
    } finally {
      pending -= 1
    }
    if (pending === 0 && isMostlyClosed()) await startCompacting()
  }

  const isMostlyClosed = () => file.size > COMPACT_ABOVE_BYTES && file.size > 4 * liveBytes

  function startCompacting(): Promise<void> {
    compacting ??= compact().finally(() => {
      compacting = null
    })
    return compacting
  }

  /** A failure leaves the longer file in use: what was appended is durable all the same, and the next append tells. */
  async function compact(): Promise<void> {
    const bytes = Buffer.concat([...live.values()].flat())
    const replaced = await replaceFile(path, bytes).catch(() => null)
    if (!replaced) return
    const old = file
    file = createAppendFile(replaced, bytes.length)
    await old.close()
  }

  if (opened.size > liveBytes) await startCompacting()

  return {
    records: () =>
      [...live.values()].flat().map((frame) => JSON.parse(frame.toString('utf8', 8)) as JournalRecord),
    append,
    damage: opened.damage,
    get size() {
      return file.size
    },
    async close() {
      await compacting
      await file.close()
    },
  }
}
