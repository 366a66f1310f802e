import { BatonError, type EventDetail, type EventView } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { ago, table } from './text.ts'

export async function listEvents(
  session: Session,
  _args: string[],
  options: { job?: string; limit: string },
): Promise<void> {
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1)
    throw new BatonError('bad_input', `--limit ${options.limit}: give a number, 1 or more.`)
  const baton = await session.baton()
  const jobId = options.job ? (await baton.jobs.get(options.job)).id : undefined
  const items: EventView[] = []
  for await (const event of baton.events.list({
    ...(jobId ? { jobId } : {}),
    pageSize: Math.min(limit, 200),
  })) {
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
  if (items.length === 0) session.note('No events yet.')
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
      ...event.deliveries.map((one) => `  ${one.state}  ${one.runId}`),
      '',
      ...Object.entries(event.headers).map(([name, value]) =>
        session.out('dim', `${printable(name)}: ${printable(value)}`),
      ),
      '',
      printable(bytesOf(event).toString('utf8')),
    ].join('\n'),
  )
}

export async function replayEvent(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const replayed = await baton.events.replay(id)
  session.print(replayed, () => replayed.deliveries.map((one) => one.runId).join('\n'))
  if (replayed.deliveries.length === 0)
    session.note(`Nothing was fired. Ask why: baton why ${replayed.eventId}`)
}

function bytesOf(event: EventDetail): Buffer {
  return Buffer.from(event.body, event.bodyEncoding === 'base64' ? 'base64' : 'utf8')
}
