import { mkdtempDisposable, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeRunEvent, type RunEventBody } from '@baton/protocol'
import { transcriptHash, transcriptStart } from '@baton/protocol/transcript-hash'
import { expect, test } from 'vitest'
import { openOutbox } from './open-outbox.ts'

const RUN = 'run_1'
const warning = (text: string): RunEventBody => ({ type: 'warning', text })
const at = (stdout: number) => ({ committed: { stdout, stderr: 0 }, state: { line: stdout } })

async function createPlace() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'baton-outbox-'))
  return {
    folder: folder.path,
    file: join(folder.path, 'events.log'),
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}

async function readEverything(folder: string) {
  const outbox = await openOutbox(folder, RUN)
  const texts: string[] = []
  while (texts.length < outbox.lastSeq) texts.push(...(await outbox.read(texts.length + 1, 100_000)).texts)
  const answer = { texts, hash: outbox.hash, position: outbox.position, lastSeq: outbox.lastSeq }
  await outbox.close()
  return answer
}

test('events are numbered from one without a gap and hashed as the relay hashes them', async () => {
  await using place = await createPlace()
  const outbox = await openOutbox(place.folder, RUN)
  expect([outbox.lastSeq, outbox.hash]).toEqual([0, transcriptStart(RUN)])
  await Promise.all([
    outbox.append([warning('a'), warning('b')], at(2), 1_000),
    outbox.append([], at(3)),
    outbox.append([warning('c')], at(4), 2_000),
  ])
  const { fromSeq, texts } = await outbox.read(1, 1_000)
  expect(fromSeq).toBe(1)
  expect(texts.map((text, i) => decodeRunEvent(i + 1, text))).toMatchObject([
    { seq: 1, at: 1_000, text: 'a' },
    { seq: 2, at: 1_000, text: 'b' },
    { seq: 3, at: 2_000, text: 'c' },
  ])
  expect(outbox).toMatchObject({ lastSeq: 3, hash: transcriptHash(RUN, texts), position: at(4) })
  await outbox.close()
  expect(await readEverything(place.folder)).toMatchObject({
    lastSeq: 3,
    hash: outbox.hash,
    position: at(4),
    texts,
  })
})

test('an outbox cut at any byte reopens with whole appends only: events, hash and position agree', async () => {
  await using place = await createPlace()
  const outbox = await openOutbox(place.folder, RUN)
  const states = [{ lastSeq: 0, position: { committed: { stdout: 0, stderr: 0 }, state: null as unknown } }]
  for (let n = 1; n <= 4; n++) {
    await outbox.append([warning(`ä${n}`), warning('x')], at(n * 10), n)
    states.push({ lastSeq: outbox.lastSeq, position: at(n * 10) })
  }
  await outbox.close()
  const whole = await readFile(place.file)
  const seen = new Set<number>()
  for (let length = 0; length <= whole.length; length++) {
    await writeFile(place.file, whole.subarray(0, length))
    const { texts, hash, lastSeq, position } = await readEverything(place.folder)
    seen.add(lastSeq)
    expect(states).toContainEqual({ lastSeq, position })
    expect(texts).toHaveLength(lastSeq)
    expect(hash).toBe(transcriptHash(RUN, texts))
  }
  expect([...seen]).toEqual([0, 2, 4, 6, 8])
})

test('an outbox with any bit flipped reopens with a true beginning of its events', async () => {
  await using place = await createPlace()
  const outbox = await openOutbox(place.folder, RUN)
  for (let n = 1; n <= 3; n++) await outbox.append([warning(`${n}`)], at(n), n)
  const { texts: all } = await outbox.read(1, 10_000)
  await outbox.close()
  const whole = await readFile(place.file)
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    await writeFile(place.file, flipped)
    const { texts } = await readEverything(place.folder)
    expect(texts.length).toBeLessThan(3)
    expect(texts).toEqual(all.slice(0, texts.length))
  }
}, 60_000)

test('old events come from the disk, recent ones from memory, and both are the same', async () => {
  await using place = await createPlace()
  const outbox = await openOutbox(place.folder, RUN)
  const count = 600
  for (let n = 1; n <= count; n++) await outbox.append([warning(`${n} ${'x'.repeat(20_000)}`)], at(n), n)
  const numberAt = async (seq: number) => {
    const { texts } = await outbox.read(seq, 50_000)
    expect(texts).toHaveLength(2)
    return (JSON.parse(texts[0] as string) as { text: string }).text.split(' ')[0]
  }
  for (const seq of [1, 2, 57, 300, 398, 399, 400, 599]) expect(await numberAt(seq)).toBe(String(seq))
  expect((await outbox.read(count, 1)).texts).toHaveLength(1)
  expect((await outbox.read(count + 1, 1_000)).texts).toEqual([])
  await outbox.close()
})

test('who waits for events is woken by the next one, or by the end of waiting', async () => {
  await using place = await createPlace()
  const outbox = await openOutbox(place.folder, RUN)
  const stop = new AbortController()
  const woken = outbox.changed(stop.signal)
  await outbox.append([warning('a')], at(1))
  await woken
  await outbox.changed(stop.signal, 0)
  const waiting = outbox.changed(stop.signal)
  stop.abort()
  await waiting
  await outbox.close()
})

test('an event is only there for reading when it would survive the death of this process', async () => {
  await using place = await createPlace()
  const outbox = await openOutbox(place.folder, RUN)
  const appending = outbox.append([warning('a')], at(1))
  expect(outbox.lastSeq).toBe(0)
  await appending
  expect(outbox.lastSeq).toBe(1)
  expect((await stat(place.file)).size).toBeGreaterThan(0)
  await outbox.close()
})

test('after an append that failed nothing more is numbered, so the file never has a gap', async () => {
  await using place = await createPlace()
  const outbox = await openOutbox(place.folder, RUN)
  await outbox.append([warning('a')], at(1))
  await outbox.close()
  await expect(outbox.append([warning('b')], at(2))).rejects.toThrow()
  await expect(outbox.append([warning('c')], at(3))).rejects.toThrow()
  expect(outbox).toMatchObject({ lastSeq: 1, position: at(1) })
})
