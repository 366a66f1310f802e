import { expect, test } from 'vitest'
import { encodeRunEvent } from './run-events.ts'
import { TRANSCRIPT_FORMAT, type TranscriptHeader, transcriptLines } from './transcript-file.ts'
import { transcriptHash } from './transcript-hash.ts'
import { type TranscriptVerdict, verifyTranscripts } from './verify-transcript.ts'

const RUN = `run_${'0'.repeat(31)}1` as const
const TEXTS = Array.from({ length: 9 }, (_, index) =>
  encodeRunEvent(1_000 + index, {
    type: 'output',
    stream: 'stdout',
    text: `line ${index} \u001b[1m ü \u2028 "quoted"\n`,
  }),
)

function headerOf(texts: string[]): TranscriptHeader {
  return {
    format: TRANSCRIPT_FORMAT,
    run: RUN,
    delivery: `dlv_${'0'.repeat(31)}1`,
    attempt: 1,
    agent: { id: 'agt_1', key: 'demo' },
    machine: { id: 'mch_1', name: 'laptop' },
    job: null,
    state: 'succeeded',
    outcome: 'done',
    finalSeq: texts.length,
    finalHash: transcriptHash(RUN, texts),
    ladder: {
      storedAt: 1,
      leasedAt: 2,
      acceptedAt: 3,
      startedAt: 4,
      firstOutputAt: 5,
      consumedAt: null,
      finishedAt: 6,
    },
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

async function linesOf(texts = TEXTS, header = headerOf(TEXTS)): Promise<string[]> {
  const events = texts.map((text, index) => ({ seq: index + 1, text }))
  return collect(transcriptLines(header, events))
}

/** Cut at newlines as a reader of bytes does. */
function splitBytes(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at)
    lines.push(bytes.subarray(at, end < 0 ? bytes.length : end + 1))
    at = end < 0 ? bytes.length : end + 1
  }
  return lines
}

const verify = (lines: string[]) => verifyBytes(Buffer.from(lines.join('')))
async function verifyBytes(bytes: Buffer): Promise<TranscriptVerdict> {
  const verdicts = await collect(verifyTranscripts(splitBytes(bytes)))
  const worst = verdicts.find((verdict) => !verdict.complete) ?? verdicts[0]
  if (!worst) throw new Error('No verdict.')
  return worst
}

test('an export as it was written is complete and says its numbers and hash', async () => {
  const verdict = await verify(await linesOf())
  const hash = transcriptHash(RUN, TEXTS)
  expect(verdict).toMatchObject({ run: RUN, complete: true, intact: true, events: 9, expected: 9, hash })
  expect(verdict.sentence).toBe(`Complete, 9 of 9, hash ${hash.slice(0, 12)}.`)
})

test('a change of any bit of any byte is found', async () => {
  const bytes = Buffer.from((await linesOf()).join(''))
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [1, 8, 32, 128]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ bit
      const verdict = await verifyBytes(changed)
      expect(verdict.complete, `byte ${at}, bit ${bit}`).toBe(false)
      expect(verdict.problems.length, `byte ${at}, bit ${bit}`).toBeGreaterThan(0)
    }
  }
})

test('a cut at any byte is found', async () => {
  const bytes = Buffer.from((await linesOf()).join(''))
  for (let length = 0; length < bytes.length; length++) {
    const verdict = await verifyBytes(bytes.subarray(0, length))
    expect(verdict.complete, `first ${length} bytes`).toBe(false)
    expect(verdict.intact, `first ${length} bytes`).toBe(false)
  }
})

test('a changed event is named by its line', async () => {
  const lines = await linesOf()
  lines[4] = (lines[4] ?? '').replace('line 3', 'line 8')
  const verdict = await verify(lines)
  expect(verdict.problems[0]).toEqual({
    line: 5,
    what: 'event 4 was changed: its text does not fit its hash',
  })
})

test('missing events are named by their numbers', async () => {
  const lines = await linesOf()
  const verdict = await verify([...lines.slice(0, 3), ...lines.slice(5)])
  expect(verdict.missing).toEqual([{ from: 3, to: 4 }])
  expect(verdict.sentence).toBe('Line 4: event 5 stands where event 3 should be. Missing: 3 to 4.')
  const cut = await verify(lines.slice(0, 7))
  expect(cut.missing).toEqual([{ from: 7, to: 9 }])
  expect(cut.sentence).toContain('Line 8: the certificate is missing')
})

test('events in another order are found, and none is called missing', async () => {
  const lines = await linesOf()
  const [header = '', one = '', two = '', three = '', ...rest] = lines
  const verdict = await verify([header, one, three, two, ...rest])
  expect(verdict.missing).toEqual([])
  expect(verdict.sentence).toContain('Line 3: event 3 stands where event 2 should be')
})

test('an event that is there twice is found', async () => {
  const lines = await linesOf()
  const verdict = await verify([...lines.slice(0, 4), lines[3] ?? '', ...lines.slice(4)])
  expect(verdict.missing).toEqual([])
  expect(verdict.sentence).toContain('Line 5: event 3 is here a second time')
})

test('an event of another run in place of one is found', async () => {
  const lines = await linesOf()
  const others = await linesOf(TEXTS.map((text) => text.replace('line', 'Line')))
  lines[5] = others[5] ?? ''
  expect((await verify(lines)).problems[0]?.line).toBe(6)
})

test('a transcript that had not all arrived is intact, but partial', async () => {
  const verdict = await verify(await linesOf(TEXTS.slice(0, 7)))
  expect(verdict).toMatchObject({ complete: false, intact: true, missing: [{ from: 8, to: 9 }] })
  expect(verdict.sentence).toContain('8 to 9 had not reached the relay')
  const running = { ...headerOf(TEXTS), finalSeq: null, finalHash: null, state: 'running' as const }
  expect((await verify(await linesOf(TEXTS, running))).sentence).toContain('had not ended')
})

test('a transcript that differs from what the runner recorded is not complete', async () => {
  const verdict = await verify(await linesOf(TEXTS, { ...headerOf(TEXTS), finalHash: '0'.repeat(64) }))
  expect(verdict).toMatchObject({ complete: false, intact: true, missing: [] })
})

test('several transcripts in one file have a verdict each', async () => {
  const lines = await linesOf()
  const verdicts = await collect(
    verifyTranscripts(splitBytes(Buffer.from([...lines, ...lines.slice(0, 5), ...lines].join('')))),
  )
  expect(verdicts.map((verdict) => verdict.complete)).toEqual([true, false, true])
  expect(verdicts[1]?.problems[0]).toMatchObject({ line: 17 })
})

test('a file that is no transcript, or nothing at all, is not complete', async () => {
  expect((await verify(['{"hello":1}\n'])).sentence).toContain('Line 1: this is not the first line')
  expect((await verify([])).complete).toBe(false)
})
