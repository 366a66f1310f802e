import type { FileHandle } from 'node:fs/promises'
import { readRecords } from '../journal/read-records.ts'

const RECENT_BYTES = 4 * 1024 * 1024
const INDEX_EVERY_BYTES = 64 * 1024

type Recent = { seq: number; texts: string[]; bytes: number }

/**
 * Finds events by number: the last 4 MiB from memory, older ones from the file by way of a sparse index (one entry for
 * each 64 KiB of file). A reader that keeps up never touches the disk.
 */
export function createTextStore() {
  const index: { seq: number; offset: number }[] = []
  const recent: Recent[] = []
  let recentBytes = 0
  let nextSeq = 1

  /** Adds the events of the record that starts at `offset`. Records come in the order of the file. */
  function add(texts: string[], offset: number): void {
    const last = index.at(-1)
    if (!last || offset - last.offset >= INDEX_EVERY_BYTES) index.push({ seq: nextSeq, offset })
    if (texts.length === 0) return
    const bytes = texts.reduce((sum, text) => sum + text.length, 0)
    recent.push({ seq: nextSeq, texts, bytes })
    recentBytes += bytes
    nextSeq += texts.length
    while (recentBytes > RECENT_BYTES && recent.length > 1) recentBytes -= (recent.shift() as Recent).bytes
  }

  async function read(file: FileHandle, fromSeq: number, lastSeq: number, maxBytes: number) {
    const texts: string[] = []
    if (fromSeq < 1 || fromSeq > lastSeq) return { fromSeq, texts }
    const take = taker(texts, fromSeq, lastSeq, maxBytes)
    const oldest = recent[0]
    if (oldest && fromSeq >= oldest.seq) {
      for (let i = lastAtMost(recent, fromSeq); i < recent.length; i++) {
        const one = recent[i] as Recent
        if (!take(one.texts, one.seq)) break
      }
      return { fromSeq, texts }
    }
    const start = index[lastAtMost(index, fromSeq)]
    let seq = start?.seq ?? 1
    for await (const { value } of readRecords(file, start?.offset ?? 0)) {
      const record = value as { texts: string[] }
      if (!take(record.texts, seq)) break
      seq += record.texts.length
    }
    return { fromSeq, texts }
  }

  return { add, read }
}

/** Collects consecutive texts until `maxBytes` (as UTF-8) are used up; says whether it wants more. */
function taker(into: string[], fromSeq: number, lastSeq: number, maxBytes: number) {
  let left = maxBytes
  return (texts: string[], seq: number): boolean => {
    for (let i = Math.max(0, fromSeq - seq); i < texts.length; i++) {
      if (seq + i > lastSeq) return false
      const text = texts[i] as string
      left -= Buffer.byteLength(text)
      if (left < 0 && into.length > 0) return false
      into.push(text)
    }
    return true
  }
}

/** The index of the last entry whose first number is at most `seq`; 0 when there is none. */
function lastAtMost(entries: readonly { seq: number }[], seq: number): number {
  let low = 0
  let high = entries.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((entries[middle] as { seq: number }).seq <= seq) low = middle
    else high = middle - 1
  }
  return low
}
