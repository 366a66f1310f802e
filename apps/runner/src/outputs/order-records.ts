import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '../config/private-file.ts'

/**
 * What the runner remembers of an order, on its disk before it acts: `begun` says where the file ended then, so that after
 * a crash it can see whether the order was carried out; `done` answers every repeat.
 */
export type OrderRecord =
  | { state: 'begun'; path: string; size: number }
  | { state: 'done'; path: string | null }

export type OrderRecords = {
  read(id: string): Promise<OrderRecord | null>
  write(id: string, record: OrderRecord): Promise<void>
  /** Forgets orders that no relay can ask for any more. */
  prune(now: number): Promise<void>
}

/** Tries go on for three days, and a person may send again for some more. */
const KEPT_MS = 30 * 86_400_000

export function createOrderRecords(folder: string): OrderRecords {
  const fileOf = (id: string) => join(folder, `${id}.json`)
  return {
    async read(id) {
      const text = await readPrivateFile(fileOf(id))
      return text === null ? null : (JSON.parse(text) as OrderRecord)
    },
    write: (id, record) => writePrivateFile(fileOf(id), `${JSON.stringify(record)}\n`, { durable: true }),
    async prune(now) {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      for (const name of names) {
        const file = join(folder, name)
        const { mtimeMs } = await stat(file)
        if (now - mtimeMs > KEPT_MS) await rm(file, { force: true })
      }
    },
  }
}
