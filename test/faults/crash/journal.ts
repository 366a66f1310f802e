import fs from 'node:fs'
import type { LeaseRef, SettleAnswer, SettleReport } from '@baton/protocol'

/** What a runner of the crash loop has on its disk about one run. Records are only ever added. */
export type JournalRecord =
  | { kind: 'accepted'; lease: LeaseRef }
  /** Written before the effect, so that a restart never does it again by itself. */
  | { kind: 'started'; lease: LeaseRef }
  | { kind: 'finished'; lease: LeaseRef; settle: SettleReport }
  | { kind: 'done'; lease: LeaseRef; result: SettleAnswer['result'] | 'dropped' }
  | { kind: 'hung'; call: string; ms: number }

/** One JSON line each, fsynced before `write` returns. A torn last line is left out. */
export function openJournal(file: string) {
  const records = readJournal(file)
  const fd = fs.openSync(file, 'a')
  // A line that was torn by a kill gets its end, so that the next record stands alone.
  fs.writeSync(fd, '\n')
  return {
    records,
    write(...added: JournalRecord[]) {
      fs.writeSync(fd, added.map((record) => `${JSON.stringify(record)}\n`).join(''))
      fs.fdatasyncSync(fd)
    },
  }
}

export function readJournal(file: string): JournalRecord[] {
  if (!fs.existsSync(file)) return []
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as JournalRecord]
      } catch {
        return []
      }
    })
}
