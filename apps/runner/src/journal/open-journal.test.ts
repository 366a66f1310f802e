import {
  type FileHandle,
  mkdtempDisposable,
  open,
  readdir,
  readFile,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeliveryId, RunId } from '@baton/protocol'
import { expect, test, vi } from 'vitest'
import type { JournalRecord } from './journal-record.ts'
import { openJournal } from './open-journal.ts'
import { encodeRecord } from './record-framing.ts'

const started = (n: number): JournalRecord => ({ kind: 'started', runId: `run_${n}` })
const closed = (n: number): JournalRecord => ({
  kind: 'closed',
  deliveryId: `dlv_${n}` as DeliveryId,
  runId: `run_${n}` as RunId,
  why: 'settled',
})

async function createPlace() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'baton-journal-'))
  return {
    path: join(folder.path, 'journal.log'),
    folder: folder.path,
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}

/** The records that a journal with these bytes has. */
async function recordsOf(path: string, bytes?: Buffer) {
  if (bytes) await writeFile(path, bytes)
  const journal = await openJournal(path)
  const answer = { records: journal.records(), damage: journal.damage }
  await journal.close()
  return answer
}

test('what was appended is there after the journal is opened again', async () => {
  await using place = await createPlace()
  const journal = await openJournal(place.path)
  await Promise.all([1, 2, 3].map((n) => journal.append(started(n))))
  await journal.close()
  expect(await recordsOf(place.path)).toEqual({ records: [1, 2, 3].map(started), damage: null })
  expect((await stat(place.path)).mode & 0o777).toBe(0o600)
})

test('a journal cut at any byte has exactly the records that were whole, and goes on after them', async () => {
  await using place = await createPlace()
  const frames = [1, 2, 3, 4].map((n) => encodeRecord(started(n)))
  const whole = Buffer.concat(frames)
  let end = 0
  const ends = frames.map((frame) => {
    end += frame.length
    return end
  })
  for (let length = 0; length <= whole.length; length++) {
    const count = ends.filter((one) => one <= length).length
    const lostBytes = length - (ends[count - 1] ?? 0)
    const { records, damage } = await recordsOf(place.path, whole.subarray(0, length))
    expect(records).toEqual([1, 2, 3, 4].slice(0, count).map(started))
    expect(damage).toEqual(lostBytes === 0 ? null : { atByte: ends[count - 1] ?? 0, lostBytes })

    const journal = await openJournal(place.path)
    await journal.append(started(9))
    await journal.close()
    expect((await recordsOf(place.path)).records.at(-1)).toEqual(started(9))
  }
})

test('a journal with any bit flipped has only records that were appended, in order, up to the flip', async () => {
  await using place = await createPlace()
  const frames = [1, 2, 3].map((n) => encodeRecord(started(n)))
  const whole = Buffer.concat(frames)
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    const { records, damage } = await recordsOf(place.path, flipped)
    const intact = Math.floor((bit >> 3) / (frames[0] as Buffer).length)
    expect(records).toEqual([1, 2, 3].slice(0, intact).map(started))
    expect(damage?.atByte).toBe(intact * (frames[0] as Buffer).length)
  }
}, 60_000)

test('what is cut off a damaged journal is kept beside it', async () => {
  await using place = await createPlace()
  const good = encodeRecord(started(1))
  await recordsOf(place.path, Buffer.concat([good, Buffer.from('garbage')]))
  expect(await readFile(`${place.path}.damaged-7`, 'utf8')).toBe('garbage')
  expect(await readFile(place.path)).toEqual(good)
})

test('closed runs are forgotten and the file does not grow with them', async () => {
  await using place = await createPlace()
  const journal = await openJournal(place.path)
  await journal.append(started(0))
  for (let n = 1; n <= 12_000; n += 200) {
    const some = Array.from({ length: 200 }, (_, i) => n + i)
    await Promise.all(some.flatMap((one) => [journal.append(started(one)), journal.append(closed(one))]))
  }
  expect(journal.size).toBeLessThan(1.2 * 1024 * 1024)
  expect(journal.records()).toEqual([started(0)])
  await journal.close()
  expect(await recordsOf(place.path)).toEqual({ records: [started(0)], damage: null })
  expect((await stat(place.path)).size).toBe(encodeRecord(started(0)).length)
  expect(await readdir(place.folder)).toEqual(['journal.log'])
})

test('many who append at once share few fdatasyncs, and none resolves before one', async () => {
  await using place = await createPlace()
  await using probe = await open(join(place.folder, 'probe'), 'w')
  const datasync = vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, 'datasync')
  try {
    const journal = await openJournal(place.path)
    await journal.append(started(0))
    expect(datasync).toHaveBeenCalledTimes(1)
    await Promise.all(Array.from({ length: 500 }, (_, n) => journal.append(started(n))))
    expect(datasync.mock.calls.length).toBeLessThanOrEqual(4)
    await journal.close()
  } finally {
    datasync.mockRestore()
  }
})

test('a record whose fdatasync failed is refused, and so is every later one until the journal is opened again', async () => {
  await using place = await createPlace()
  await using probe = await open(join(place.folder, 'probe'), 'w')
  const journal = await openJournal(place.path)
  const datasync = vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, 'datasync')
  datasync.mockRejectedValueOnce(Object.assign(new Error('i/o error'), { code: 'EIO' }))
  await expect(journal.append(started(1))).rejects.toThrow('i/o error')
  datasync.mockRestore()
  await expect(journal.append(started(2))).rejects.toThrow('i/o error')
  await journal.close()
})
