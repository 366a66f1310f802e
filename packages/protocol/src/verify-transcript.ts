import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type RunId, runId } from './ids.ts'
import { certify, checkOf, TRANSCRIPT_FORMAT, type TranscriptHeader } from './transcript-file.ts'
import { transcriptStart, transcriptStep } from './transcript-hash.ts'

export type TranscriptVerdict = {
  run: RunId | null
  /** Its first line. */
  header: TranscriptHeader | null
  /** Every event that the runner recorded is here, in order and unchanged. */
  complete: boolean
  /** The file is as it was written, whether or not everything had reached the relay by then. */
  intact: boolean
  events: number
  expected: number | null
  hash: string | null
  /** Inclusive. */
  missing: { from: number; to: number }[]
  /** In the order of the file, by line number from 1; at most MAX_PROBLEMS. */
  problems: { line: number; what: string }[]
  sentence: string
}

const MAX_PROBLEMS = 20

const headerLine = z.looseObject({
  format: z.literal(TRANSCRIPT_FORMAT),
  run: runId,
  finalSeq: z.number().int().nonnegative().nullable(),
  finalHash: z.string().nullable(),
})
const eventLine = z.strictObject({ seq: z.number().int().min(1), check: z.string(), text: z.string() })
const certificateLine = z.looseObject({ certificate: z.string() })

/**
 * Checks transcripts as `transcriptLines` writes them, one verdict for each, without asking anybody. `lines` are the
 * bytes of each line with its newline; they are read once and not kept.
 */
export async function* verifyTranscripts(
  lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<TranscriptVerdict, void, undefined> {
  let section: Section | null = null
  let number = 0
  for await (const bytes of lines) {
    number += 1
    const read = readLine(bytes)
    if (read?.kind === 'header' && section) {
      yield section.end(number)
      section = null
    }
    section ??= createSection(number)
    if (section.take(number, bytes, read)) {
      yield section.verdict()
      section = null
    }
  }
  if (section) yield section.end(number + 1)
  else if (number === 0) yield createSection(1).end(1)
}

type Line =
  | { kind: 'header'; value: TranscriptHeader }
  | { kind: 'event'; value: z.infer<typeof eventLine> }
  | { kind: 'certificate'; text: string }

/** Null: no line that `transcriptLines` could have written. */
function readLine(bytes: Uint8Array): Line | null {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    return null
  }
  // Another spelling of the same value, or a missing newline, is a change too.
  if (text !== `${JSON.stringify(value)}\n`) return null
  const event = eventLine.safeParse(value)
  if (event.success) return { kind: 'event', value: event.data }
  if (headerLine.safeParse(value).success) return { kind: 'header', value: value as TranscriptHeader }
  return certificateLine.safeParse(value).success ? { kind: 'certificate', text } : null
}

type Section = ReturnType<typeof createSection>

function createSection(firstLine: number) {
  const problems: TranscriptVerdict['problems'] = []
  const bytesBefore = createHash('sha256')
  const early = new Set<number>()
  let header: TranscriptHeader | null = null
  /** null once something differs: later hashes would all differ too and say nothing new. */
  let hash: string | null = null
  let last = 0
  let next = 1
  let found = 0

  const problem = (line: number, what: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ line, what })
  }

  function takeEvent(line: number, { seq, check, text }: z.infer<typeof eventLine>) {
    const isRepeat = seq < next || early.has(seq)
    if (isRepeat) problem(line, `event ${seq} is here a second time`)
    else if (seq !== last + 1) problem(line, `event ${seq} stands where event ${last + 1} should be`)
    if (!isRepeat) {
      found += 1
      early.add(seq)
      while (early.delete(next)) next += 1
    }
    const inOrder = seq === last + 1 && !isRepeat
    last = seq
    if (hash === null) return
    hash = inOrder ? transcriptStep(hash, text) : null
    if (hash !== null && checkOf(hash) !== check) {
      problem(line, `event ${seq} was changed: its text does not fit its hash`)
      hash = null
    }
  }

  /** The certificate must be, byte for byte, the one that these lines deserve. */
  function takeCertificate(line: number, text: string) {
    if (header === null || hash === null) return
    const deserved = certify(header, { events: found, hash, sha256: bytesBefore.digest('hex') })
    if (text === `${JSON.stringify(deserved)}\n`) return
    const given = JSON.parse(text) as { events?: unknown; hash?: unknown }
    const isShort = typeof given.events === 'number' && given.events > found
    if (isShort) problem(line, `the certificate counts ${String(given.events)} events and here are ${found}`)
    else if (given.hash === hash) problem(line, 'a line before it or the certificate itself was changed')
    else problem(line, 'the certificate does not fit the events before it')
  }

  function verdict(): TranscriptVerdict {
    const expected = header?.finalSeq ?? null
    const missing = missingRanges(next, early, expected)
    const intact = problems.length === 0
    const complete = intact && expected === found && hash !== null && header?.finalHash === hash
    const base = {
      run: header?.run ?? null,
      header,
      complete,
      intact,
      events: found,
      expected,
      hash,
      missing,
      problems,
    }
    return { ...base, sentence: sentenceOf(base) }
  }

  return {
    verdict,
    /** True: that was the last line of this transcript. */
    take(line: number, bytes: Uint8Array, read: Line | null): boolean {
      if (line === firstLine && read?.kind === 'header') {
        header = read.value
        hash = transcriptStart(header.run)
      } else if (line === firstLine) {
        problem(line, `this is not the first line of a transcript (${TRANSCRIPT_FORMAT})`)
      }
      if (read?.kind === 'event') takeEvent(line, read.value)
      if (read === null && line !== firstLine) {
        problem(line, 'this line was changed: it is none of a transcript')
        hash = null
      }
      if (read?.kind === 'certificate') {
        takeCertificate(line, read.text)
        return true
      }
      bytesBefore.update(bytes)
      return false
    },
    /** The file ended, or another transcript began, without a certificate. */
    end(line: number): TranscriptVerdict {
      problem(line, 'the certificate is missing: the transcript was cut here')
      return verdict()
    },
  }
}

function missingRanges(next: number, early: Set<number>, expected: number | null) {
  const ranges: { from: number; to: number }[] = []
  let from = next
  for (const seq of [...early].sort((a, b) => a - b)) {
    if (seq > from) ranges.push({ from, to: seq - 1 })
    from = seq + 1
  }
  if (expected !== null && from <= expected) ranges.push({ from, to: expected })
  return ranges
}

function sentenceOf(verdict: Omit<TranscriptVerdict, 'sentence'>): string {
  const { complete, events, expected, hash, missing, problems } = verdict
  if (complete) return `Complete, ${events} of ${expected}, hash ${hash?.slice(0, 12)}.`
  const gaps = missing.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`)).join(', ')
  const first = problems[0]
  if (first) {
    const more = problems.length > 1 ? ` ${problems.length - 1} more after it.` : ''
    return `Line ${first.line}: ${first.what}.${gaps ? ` Missing: ${gaps}.` : ''}${more}`
  }
  if (gaps)
    return `Partial, ${events} of ${expected}: ${gaps} had not reached the relay when this was written.`
  if (expected === null) return `Partial, ${events} so far: the run had not ended when this was written.`
  return 'The transcript differs from what the machine recorded: its hash is another one.'
}
