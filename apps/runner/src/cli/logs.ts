import { BatonError, decodeRunEvent, type RunEvent, STATUS_EXIT_CODES } from '@baton/protocol'
import type { Baton } from '@baton/sdk'
import type { Session } from './session.ts'
import { createEventWriter } from './show-event.ts'
import { resultLine } from './show-run.ts'
import { waitForEnd } from './wait-for-end.ts'

type Options = { follow?: boolean; tail?: string; raw?: boolean }

/** `baton logs`: the transcript so far, and with --follow the rest of it as it comes. */
export async function showLogs(session: Session, [id = '']: string[], options: Options): Promise<number> {
  const tail = readTail(options.tail)
  const baton = await session.baton()
  const known = await baton.runs.get(id)
  const show = createShow(session, options)
  session.note(
    `${session.err('bold', known.id)} · ${known.agent.key} on ${known.machine.name}  ${session.err('dim', baton.runs.open(known.id).url)}`,
  )
  let next = 1
  for await (const event of storedEvents(baton, known.id, tail)) {
    show.event(event)
    next = event.seq + 1
  }
  if (!options.follow) {
    show.end()
    session.note(resultLine(known, session.err))
    return 0
  }
  for await (const event of baton.runs.open(known.id).events({ fromSeq: Math.max(1, next - 1) })) {
    if (event.seq >= next) show.event(event)
  }
  show.end()
  const ended = await waitForEnd(baton.runs.open(known.id))
  session.note(resultLine(ended, session.err))
  return STATUS_EXIT_CODES[ended.status]
}

function createShow(session: Session, { raw }: Options): { event(event: RunEvent): void; end(): void } {
  if (session.json) return { event: (event) => session.write(`${JSON.stringify(event)}\n`), end: () => {} }
  if (raw) return { event: writeBytes, end: () => {} }
  const writer = createEventWriter(session.out, { full: true })
  return { event: (event) => session.write(writer.show(event)), end: () => session.write(writer.end()) }
}

function writeBytes(event: RunEvent): void {
  if (event.type !== 'output') return
  process.stdout.write(event.base64 === undefined ? (event.text ?? '') : Buffer.from(event.base64, 'base64'))
}

async function* storedEvents(
  baton: Baton,
  id: string,
  tail: number | null,
): AsyncGenerator<RunEvent, void, undefined> {
  let fromSeq = 1
  for (;;) {
    const page = await baton.transcript(id, tail === null ? { fromSeq } : { tail })
    for (const { seq, text } of page.events) yield decodeRunEvent(seq, text)
    fromSeq = (page.events.at(-1)?.seq ?? page.lastSeq) + 1
    if (tail !== null || page.events.length === 0 || fromSeq > page.lastSeq) return
  }
}

function readTail(given: string | undefined): number | null {
  if (given === undefined) return null
  if (!/^\d{1,6}$/.test(given)) throw new BatonError('bad_input', `--tail ${given}: give a number of events.`)
  return Number(given)
}
