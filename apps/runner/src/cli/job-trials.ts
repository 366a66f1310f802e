import { BatonError, filterText } from '@baton/protocol'
import { printable } from './printable.ts'
import { readPayload } from './read-payload.ts'
import type { Session } from './session.ts'
import { ago, clip, table } from './text.ts'

export async function rehearseJob(
  session: Session,
  [id = '']: string[],
  options: { event?: string; payload?: string; payloadFile?: string; trigger?: string },
): Promise<void> {
  const payload = options.event ? undefined : await readPayload(options)
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  const view = await baton.jobs.rehearse(job.id, {
    ...(options.event ? { eventId: options.event } : { payload: payload ?? null }),
    ...(options.trigger ? { triggerId: options.trigger } : {}),
  })
  const { out } = session
  session.print(view, () =>
    [
      view.fires ? out('green', 'It would fire.') : out('yellow', `It would not fire (${view.reason}).`),
      `  ${printable(view.next)}`,
      ...view.filters.map(
        (one) =>
          `  ${one.holds ? '✓' : '✕'} ${printable(filterText(one))}  ${printable(one.found ?? 'not there')}`,
      ),
      ...(view.key ? [`  key ${printable(view.key)}`] : []),
      '',
      printable(view.prompt),
      ...(view.promptCut ? ['', 'The prompt is longer than 256 KiB and would be cut.'] : []),
    ].join('\n'),
  )
}

export async function simulateJob(
  session: Session,
  [id = '']: string[],
  options: { days: string },
): Promise<void> {
  const days = Number(options.days)
  if (!(days > 0 && days <= 7)) throw new BatonError('bad_input', `--days ${options.days}: give up to 7.`)
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  const view = await baton.jobs.simulate(job.id, { days })
  session.print(view, () =>
    [
      `${view.fires} of ${view.events.length} events would fire ${printable(job.key)}${view.isCapped ? '; there were more' : ''}.`,
      ...view.slots.map(
        ({ count, isCapped }) => `${isCapped ? 'more than ' : ''}${count} slots of its schedule`,
      ),
      table(
        ['event', 'from', 'would', 'did', 'why not', 'received'],
        view.events.map((one) => [
          one.id,
          one.source,
          one.fires ? 'fire' : '-',
          one.fired ? 'fire' : '-',
          clip(printable(one.message ?? ''), 60),
          ago(one.receivedAt),
        ]),
        session.out,
      ),
    ].join('\n'),
  )
}
