import { BatonError, type TriggerView } from '@baton/protocol'
import { confirm } from './confirm.ts'
import { describeHook } from './describe-hook.ts'
import { printable } from './printable.ts'
import { readDuration } from './rule-options.ts'
import type { Session } from './session.ts'
import { triggerLines } from './show-trigger.ts'
import { readTriggers, type TriggerOptions } from './trigger-options.ts'

export async function addTrigger(
  session: Session,
  [id = '']: string[],
  options: TriggerOptions,
): Promise<void> {
  const [trigger, ...more] = readTriggers(options, session.env)
  if (!trigger || more.length > 0) {
    throw new BatonError('bad_input', 'Give one of --hook, --cron, --every, --watch and --git-push.')
  }
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  const before = new Set(job.triggers.map((one) => one.id))
  const added = await baton.jobs.addTrigger(job.id, trigger)
  const made = added.job.triggers.find((one) => !before.has(one.id))
  session.print({ trigger: made, secret: added.secret }, () =>
    added.secret ? describeHook(added.secret) : made ? triggerLines(made).join('\n  ') : '',
  )
  if (made?.kind === 'git_push')
    session.note(`Now in the repository: baton hook git install --repo . --job ${printable(job.key)}`)
}

export async function listTriggers(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const { triggers } = await baton.jobs.get(id)
  session.print({ items: triggers }, () => triggers.map((one) => triggerLines(one).join('\n  ')).join('\n'))
  if (triggers.length === 0) session.note('Only people fire it: baton job run.')
}

export const removeTrigger = (session: Session, [id = '']: string[]) =>
  change(session, id, 'removeTrigger', async () => {
    await confirm(session, `Remove the trigger ${id}? A webhook's address stops answering.`)
  })
export const pauseTrigger = (session: Session, [id = '']: string[]) => change(session, id, 'pauseTrigger')
export const resumeTrigger = (session: Session, [id = '']: string[]) => change(session, id, 'resumeTrigger')

async function change(
  session: Session,
  id: string,
  what: 'removeTrigger' | 'pauseTrigger' | 'resumeTrigger',
  ask?: () => Promise<void>,
): Promise<void> {
  const baton = await session.baton()
  await ask?.()
  const job = await baton.jobs[what](id)
  const done = { removeTrigger: 'removed', pauseTrigger: 'paused', resumeTrigger: 'on' }[what]
  session.print(job, () => `${id} of ${printable(job.key)} is ${done}.`)
}

export async function showNextFires(
  session: Session,
  [id]: string[],
  options: { cron?: string; every?: string; zone?: string; count: string },
): Promise<void> {
  const baton = await session.baton()
  const zone = options.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC'
  const count = Number(options.count)
  if (!Number.isInteger(count) || count < 1 || count > 100)
    throw new BatonError('bad_input', `--count ${options.count}: give a number from 1 to 100.`)
  const schedules = options.cron
    ? [{ expression: options.cron, zone }]
    : options.every
      ? [{ everyMs: readDuration('--every', options.every) }]
      : await schedulesOf(session, id)
  const answers = await Promise.all(schedules.map((one) => baton.jobs.nextFires(one, { count, zone })))
  session.print({ items: answers }, () =>
    answers
      .map(({ words, fires }) => [words, ...fires.map(({ local }) => `  ${local}`)].join('\n'))
      .join('\n'),
  )
}

async function schedulesOf(session: Session, id: string | undefined) {
  if (!id) throw new BatonError('bad_input', 'Give a job, --cron <expression> or --every <duration>.')
  const job = await (await session.baton()).jobs.get(id)
  const schedules = job.triggers.filter(isSchedule).map((one) => ({ triggerId: one.id as string }))
  if (schedules.length === 0) throw new BatonError('conflict', `${job.key} has no schedule.`)
  return schedules
}

const isSchedule = (one: TriggerView) => one.kind === 'cron' || one.kind === 'interval'
