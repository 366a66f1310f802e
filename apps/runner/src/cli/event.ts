import {
  BatonError,
  EVENT_SOURCES,
  EVENT_STATES,
  type EventDetail,
  type EventVerification,
  type EventView,
  STATUS_SHAPES,
} from '@baton/protocol'
import type { EventFilter } from '@baton/sdk'
import { printable } from './printable.ts'
import { readInput } from './read-payload.ts'
import { readDuration } from './rule-options.ts'
import type { Session } from './session.ts'
import { ago, table } from './text.ts'

type ListOptions = {
  job?: string
  trigger?: string
  state?: string
  source?: string[]
  search?: string
  since?: string
  until?: string
  limit: string
}

export async function listEvents(session: Session, _args: string[], options: ListOptions): Promise<void> {
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1)
    throw new BatonError('bad_input', `--limit ${options.limit}: give a number, 1 or more.`)
  const baton = await session.baton()
  const items: EventView[] = []
  for await (const event of baton.events.list({ ...readFilter(options), pageSize: Math.min(limit, 200) })) {
    items.push(event)
    if (items.length === limit) break
  }
  session.print({ items }, () =>
    table(
      ['event', 'from', 'job', 'state', 'bytes', 'received'],
      items.map((one) => [
        one.id,
        one.source,
        printable(one.job?.key ?? ''),
        one.reason ? session.out('yellow', `${one.state}: ${one.reason}`) : one.state,
        String(one.bodyBytes),
        ago(one.receivedAt),
      ]),
      session.out,
    ),
  )
  if (items.length === 0) session.note('No such events.')
  if (options.job) await noteRefused(session, options.job)
}

/** A wrong signature leaves no event, and is what people look for here. */
async function noteRefused(session: Session, job: string): Promise<void> {
  const refused = await (await session.baton()).events.refused(job)
  for (const { path, count, requests } of refused) {
    const last = requests[0]
    if (last)
      session.note(
        `${count} ${count === 1 ? 'request was' : 'requests were'} refused at /hooks/${path}, the last ${ago(last.at)}: ${last.status} ${printable(last.detail)}`,
      )
  }
}

function readFilter(options: ListOptions): EventFilter {
  const filter: EventFilter = {}
  if (options.job) filter.jobId = options.job
  if (options.trigger) filter.triggerId = options.trigger
  if (options.search) filter.text = options.search
  if (options.since) filter.since = readTime('--since', options.since)
  if (options.until) filter.until = readTime('--until', options.until)
  if (options.state) filter.state = readWord('--state', EVENT_STATES, options.state)
  if (options.source) filter.source = options.source.map((one) => readWord('--source', EVENT_SOURCES, one))
  return filter
}

function readWord<W extends string>(flag: string, words: readonly W[], word: string): W {
  const known = words.find((one) => one === word)
  if (!known) throw new BatonError('bad_input', `${flag} ${word}: choose from ${words.join(', ')}.`)
  return known
}

/** `2h` ago, or a date. */
function readTime(flag: string, text: string): number {
  if (/^\d+[smhd]$/.test(text)) return Date.now() - readDuration(flag, text)
  const at = Date.parse(text)
  if (Number.isNaN(at))
    throw new BatonError('bad_input', `${flag} ${text}: give a time such as 2h (ago) or 2026-03-01T12:00.`)
  return at
}

export async function showEvent(
  session: Session,
  [id = '']: string[],
  { body }: { body?: boolean },
): Promise<void> {
  const baton = await session.baton()
  const event = await baton.events.get(id)
  if (body && !session.json) return void process.stdout.write(bytesOf(event))
  session.print(event, () =>
    [
      `${session.out('bold', event.id)}  ${event.reason ? `${event.state}: ${event.reason}` : event.state}`,
      `  ${event.source}${event.job ? `, job ${printable(event.job.key)}` : ''}, ${event.bodyBytes} bytes, ${ago(event.receivedAt)}`,
      ...(event.reasonMessage ? [`  ${session.out('yellow', printable(event.reasonMessage))}`] : []),
      ...(event.verification ? [`  ${describeProof(event.verification)}`] : []),
      ...(event.cause
        ? [
            `  caused by ${event.cause.id}${event.cause.hops > 0 ? `, event ${event.cause.hops} of its chain` : ''}`,
          ]
        : []),
      ...event.runs.map((one) => `  ${STATUS_SHAPES[one.status]} ${one.status}  ${one.id}`),
      '',
      ...Object.entries(event.headers).map(([name, value]) =>
        session.out('dim', `${printable(name)}: ${printable(value)}`),
      ),
      '',
      printable(bytesOf(event).toString('utf8')),
    ].join('\n'),
  )
}

function describeProof({ scheme, signedAt }: EventVerification): string {
  if (scheme === 'none') return 'nobody signed it, and its trigger asks for no signature'
  return `its ${scheme} signature is right${signedAt === null ? '' : `, signed ${ago(signedAt)}`}`
}

export async function replayEvent(
  session: Session,
  [id = '']: string[],
  options: { bodyFile?: string; header?: string[] },
): Promise<void> {
  const baton = await session.baton()
  const body = options.bodyFile === undefined ? undefined : await readInput('--body-file', options.bodyFile)
  const replayed = await baton.events.replay(id, {
    ...(body === undefined ? {} : { body }),
    ...(options.header ? { headers: readHeaders(options.header) } : {}),
  })
  session.print(replayed, () => replayed.deliveries.map((one) => one.runId).join('\n'))
  if (replayed.deliveries.length === 0)
    session.note(`Nothing was fired: baton event show ${replayed.eventId}`)
}

export const curlEvent = (session: Session, [id = '']: string[]) => exportEvent(session, id, 'curl')
export const fixtureEvent = (session: Session, [id = '']: string[]) => exportEvent(session, id, 'fixture')

async function exportEvent(session: Session, id: string, format: 'curl' | 'fixture'): Promise<void> {
  const exported = await (await session.baton()).events.exportAs(id, format)
  if (session.json) session.print(exported, () => '')
  else session.write(exported.text)
}

export async function sendSample(
  session: Session,
  [id = '']: string[],
  options: { trigger?: string; bodyFile?: string; header?: string[] },
): Promise<number> {
  const baton = await session.baton()
  const body = options.bodyFile === undefined ? undefined : await readInput('--body-file', options.bodyFile)
  const answer = await baton.events.sendSample(id, {
    ...(options.trigger ? { triggerId: options.trigger } : {}),
    ...(body === undefined ? {} : { body }),
    ...(options.header ? { headers: readHeaders(options.header) } : {}),
  })
  session.print(answer, () => `${answer.status}  ${answer.eventId ?? printable(answer.detail ?? '')}`)
  return answer.eventId === null ? 1 : 0
}

/** `X-GitHub-Event: push`, as curl takes them. */
function readHeaders(lines: string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line) ?? []
      if (!name || value === undefined)
        throw new BatonError('bad_input', `--header "${line}": write it as "Name: value".`)
      return [name, value]
    }),
  )
}

function bytesOf(event: EventDetail): Buffer {
  return Buffer.from(event.body, event.bodyEncoding === 'base64' ? 'base64' : 'utf8')
}
