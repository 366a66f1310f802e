import { createHash } from 'node:crypto'
import type { RunId } from './ids.ts'
import type { Outcome, RunState } from './states.ts'
import { transcriptStart, transcriptStep } from './transcript-hash.ts'
import type { Ladder, RunView } from './views.ts'

/**
 * A transcript as a file of NDJSON: a header, one line for each event, a certificate. Each line is exactly what
 * JSON.stringify makes of it, so that any other byte is a change. Several transcripts may follow one another in a file.
 *
 * It proves that nothing was cut, moved or changed since it was written. It does not prove who wrote it: whoever can
 * write every line anew can also compute every hash anew.
 */
export const TRANSCRIPT_FORMAT = 'baton-transcript/1'

export type TranscriptHeader = {
  format: typeof TRANSCRIPT_FORMAT
  run: RunId
  delivery: string
  attempt: number
  agent: { id: string; key: string }
  machine: { id: string; name: string }
  job: { id: string; key: string } | null
  state: RunState | null
  outcome: Outcome | null
  /** What the runner said when it ended: the number of its last event and its rolling hash. */
  finalSeq: number | null
  finalHash: string | null
  ladder: Ladder
}

/** `text` is the event as it was hashed; `check` is the start of the rolling hash after it, and finds the first change. */
export type TranscriptLine = { seq: number; check: string; text: string }

export type TranscriptCertificate = {
  certificate: RunId
  complete: boolean
  events: number
  expected: number | null
  hash: string
  expectedHash: string | null
  /** Of every byte of this transcript before this line. */
  sha256: string
}

export const checkOf = (hash: string) => hash.slice(0, 16)

export function transcriptHeader(
  run: Pick<
    RunView,
    'id' | 'deliveryId' | 'attempt' | 'agent' | 'machine' | 'job' | 'state' | 'outcome' | 'ladder'
  > & { transcript: Pick<RunView['transcript'], 'expected' | 'expectedHash'> },
): TranscriptHeader {
  return {
    format: TRANSCRIPT_FORMAT,
    run: run.id,
    delivery: run.deliveryId,
    attempt: run.attempt,
    agent: { id: run.agent.id, key: run.agent.key },
    machine: { id: run.machine.id, name: run.machine.name },
    job: run.job && { id: run.job.id, key: run.job.key },
    state: run.state,
    outcome: run.outcome,
    finalSeq: run.transcript.expected,
    finalHash: run.transcript.expectedHash,
    ladder: run.ladder,
  }
}

/** The lines of one transcript, each with its newline. `events` come in order, from 1. */
export async function* transcriptLines(
  header: TranscriptHeader,
  events: AsyncIterable<{ seq: number; text: string }> | Iterable<{ seq: number; text: string }>,
): AsyncGenerator<string, TranscriptCertificate, undefined> {
  const bytes = createHash('sha256')
  const line = (value: object) => {
    const text = `${JSON.stringify(value)}\n`
    bytes.update(text)
    return text
  }
  yield line(header)
  let hash = transcriptStart(header.run)
  let count = 0
  for await (const { seq, text } of events) {
    hash = transcriptStep(hash, text)
    count += 1
    yield line({ seq, check: checkOf(hash), text } satisfies TranscriptLine)
  }
  const certificate = certify(header, { events: count, hash, sha256: bytes.digest('hex') })
  yield `${JSON.stringify(certificate)}\n`
  return certificate
}

export function certify(
  header: TranscriptHeader,
  seen: { events: number; hash: string; sha256: string },
): TranscriptCertificate {
  return {
    certificate: header.run,
    complete: header.finalSeq === seen.events && header.finalHash === seen.hash,
    events: seen.events,
    expected: header.finalSeq,
    hash: seen.hash,
    expectedHash: header.finalHash,
    sha256: seen.sha256,
  }
}
