import { rename, rm, stat } from 'node:fs/promises'
import { BatonError, type RunView } from '@baton/protocol'
import {
  type TranscriptCertificate,
  transcriptHeader,
  transcriptLines,
} from '@baton/protocol/transcript-file'
import { type TranscriptVerdict, verifyTranscripts } from '@baton/protocol/verify-transcript'
import type { Baton } from '@baton/sdk'
import { fileLines } from './file-lines.ts'
import { openLineFile } from './line-file.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

const PAGE = 2_000
/** As a failed run: what was asked for exists, and is not as it should be. */
const NOT_COMPLETE = 8

/** Writes a run's transcript with its certificate: to a file that appears only when it is whole, or to stdout. */
export async function exportRun(
  session: Session,
  [id = '']: string[],
  { output }: { output?: string },
): Promise<number> {
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  const lines = linesOf(baton, run)
  if (output === undefined || output === '-') {
    const certificate = await writeAll(lines, async (line) => {
      if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once('drain', resolve))
    })
    return say(session, certificate)
  }
  const part = `${output}.part`
  const file = await openLineFile(part)
  try {
    const certificate = await writeAll(lines, (line) => file.write(line))
    await file.close()
    await rename(part, output)
    session.print({ file: output, ...certificate }, () => output)
    return say(session, certificate)
  } catch (error) {
    await file.close()
    await rm(part, { force: true })
    throw error
  }
}

/** What is partial is written all the same, and said. */
function say(session: Session, certificate: TranscriptCertificate): number {
  const { complete, events, expected, hash } = certificate
  session.note(
    complete
      ? `Complete, ${events} of ${expected}, hash ${hash.slice(0, 12)}.`
      : `Partial, ${events}${expected === null ? ' so far' : ` of ${expected}`}: export it again when the rest has arrived.`,
  )
  return 0
}

async function writeAll<R>(
  lines: AsyncGenerator<string, R, undefined>,
  write: (line: string) => Promise<void>,
): Promise<R> {
  for (;;) {
    const next = await lines.next()
    if (next.done) return next.value
    await write(next.value)
  }
}

function linesOf(baton: Baton, run: RunView) {
  return transcriptLines(transcriptHeader(run), eventsOf(baton, run.id))
}

/** Up to what is stored when the reading begins: a run that goes on writing is not followed for ever. */
async function* eventsOf(baton: Baton, id: string) {
  let fromSeq = 1
  let until: number | null = null
  for (;;) {
    const page = await baton.transcript(id, { fromSeq, limit: PAGE })
    until ??= page.lastSeq
    for (const event of page.events) if (event.seq <= until) yield event
    const last = page.events.at(-1)?.seq
    if (last === undefined || last >= until) return
    fromSeq = last + 1
  }
}

/** Checks a file without any relay, or a run as the relay has it now. Ends with 0 only when all of it is complete. */
export async function verifyRun(session: Session, [what = '']: string[]): Promise<number> {
  const isFile = await stat(what).then(
    (found) => found.isFile(),
    () => false,
  )
  if (!isFile && !/^(run|dlv)_[0-9a-f]+$/.test(what)) {
    throw new BatonError(
      'not_found',
      `"${what}" is neither a file here nor a run. Write one with: baton runs export <run> -o <file>`,
    )
  }
  const verdicts = isFile ? verifyTranscripts(fileLines(what)) : await verifyStored(session, what)
  let problems = 0
  const shown: TranscriptVerdict[] = []
  for await (const verdict of verdicts) {
    if (!verdict.complete) problems += 1
    if (session.json) shown.push(verdict)
    else session.write(`${verdictText(session, verdict)}\n`)
  }
  session.print({ complete: problems === 0, transcripts: shown }, () => '')
  return problems === 0 ? 0 : NOT_COMPLETE
}

async function verifyStored(session: Session, id: string) {
  const baton = await session.baton()
  const run = await baton.runs.get(id)
  async function* bytes() {
    for await (const line of linesOf(baton, run)) yield Buffer.from(line)
  }
  return verifyTranscripts(bytes())
}

function verdictText({ out }: Session, verdict: TranscriptVerdict): string {
  const mark = verdict.complete ? out('green', '✓') : out('red', '✕')
  const lines = [`${mark} ${verdict.run ?? 'unknown run'}  ${printable(verdict.sentence)}`]
  for (const { line, what } of verdict.problems.slice(1)) lines.push(`  line ${line}: ${printable(what)}`)
  return lines.join('\n')
}
