import {
  BatonError,
  type DraftRehearsalView,
  filterText,
  type JobView,
  type NewTriggerInput,
  type RehearsalView,
} from '@baton/protocol'
import type { Sample } from '@baton/sdk'
import { printable } from './printable.ts'
import { readInput, readPayload } from './read-payload.ts'
import { type RuleOptions, readRules } from './rule-options.ts'
import type { Session } from './session.ts'
import { triggerWord } from './show-trigger.ts'
import { ago, clip, table } from './text.ts'
import { readTriggers, type TriggerOptions } from './trigger-options.ts'

type RehearseOptions = {
  event?: string
  payload?: string
  payloadFile?: string
  trigger?: string
  prompt?: string
  promptFile?: string
  agent?: string
} & TriggerOptions &
  RuleOptions

/** Of a job, or without one of what the options of `job create` describe. */
export async function rehearseJob(session: Session, [id]: string[], options: RehearseOptions): Promise<void> {
  const payload = options.event ? undefined : await readPayload(options)
  const sample = options.event ? { eventId: options.event } : { payload: payload ?? null }
  const prompt =
    options.promptFile === undefined ? options.prompt : await readInput('--prompt-file', options.promptFile)
  const view = id
    ? await rehearseKept(session, id, prompt, sample, options)
    : await rehearseDraft(session, prompt, sample, options)
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
      ...(view.missing.length > 0
        ? [
            out(
              'yellow',
              `  not in this event, so filled in with nothing: ${printable(view.missing.join(', '))}`,
            ),
          ]
        : []),
      '',
      printable(view.prompt),
      ...(view.promptCut ? ['', 'The prompt is longer than 256 KiB and would be cut.'] : []),
    ].join('\n'),
  )
}

async function rehearseKept(
  session: Session,
  id: string,
  prompt: string | undefined,
  sample: Sample,
  options: RehearseOptions,
): Promise<RehearsalView> {
  if (
    options.agent !== undefined ||
    Object.keys(readRules(options)).length > 0 ||
    readDraftTrigger(session, options)
  )
    throw new BatonError(
      'bad_input',
      'A job that is kept has its own agent, trigger and rules. Leave the job out to try others.',
    )
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  return baton.jobs.rehearse(job.id, {
    ...sample,
    ...(prompt === undefined ? {} : { prompt }),
    ...(options.trigger ? { triggerId: options.trigger } : {}),
  })
}

async function rehearseDraft(
  session: Session,
  prompt: string | undefined,
  sample: Sample,
  options: RehearseOptions,
): Promise<DraftRehearsalView> {
  if (prompt === undefined)
    throw new BatonError('bad_input', 'Give a job, or what to do: --prompt <text> or --prompt-file <file>.')
  if (options.trigger !== undefined)
    throw new BatonError('bad_input', '--trigger belongs to a job. Without one use --hook, --cron and so on.')
  const trigger = readDraftTrigger(session, options)
  const baton = await session.baton()
  return baton.jobs.rehearseDraft({
    prompt,
    ...sample,
    rules: readRules(options),
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    ...(trigger && { trigger }),
  })
}

function readDraftTrigger(session: Session, options: TriggerOptions): NewTriggerInput | null {
  const [trigger, ...more] = readTriggers(options, session.env)
  if (more.length > 0) throw new BatonError('bad_input', 'An event comes for one trigger: give only one.')
  return trigger ?? null
}

function scheduleOf({ triggers }: JobView, triggerId: string): string {
  const trigger = triggers.find(({ id }) => id === triggerId)
  if (!trigger) return triggerId
  return `"${triggerWord(trigger)}"${trigger.kind === 'cron' ? `, ${trigger.zone}` : ''} (${triggerId})`
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
        (slots) =>
          `${slots.isCapped ? 'more than ' : ''}${slots.count} ${slots.count === 1 ? 'slot' : 'slots'} of the schedule ${scheduleOf(job, slots.triggerId)}`,
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
