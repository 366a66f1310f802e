import { BatonError, type JobView, STATUS_SHAPES } from '@baton/protocol'
import { type ApprovalOptions, readApprovals } from './approval-options.ts'
import { confirm } from './confirm.ts'
import { describeHook } from './describe-hook.ts'
import { readTo, type ToOptions } from './output-options.ts'
import { printable } from './printable.ts'
import { readInput, readPayload } from './read-payload.ts'
import { type RuleOptions, readRules } from './rule-options.ts'
import type { Session } from './session.ts'
import { triggerLines, triggerWord } from './show-trigger.ts'
import { clip, shortId, table } from './text.ts'
import { readTriggers, type TriggerOptions } from './trigger-options.ts'

type CreateOptions = {
  agent?: string
  prompt?: string
  promptFile?: string
  cwd?: string
  name?: string
} & RuleOptions &
  TriggerOptions &
  ToOptions &
  ApprovalOptions
export async function createJob(
  session: Session,
  [key = '']: string[],
  options: CreateOptions,
): Promise<void> {
  if (!options.agent)
    throw new BatonError('bad_input', 'Say who does it: --agent <key>. "baton agent list" shows them.')
  const prompt = await readPrompt(options)
  const triggers = readTriggers(options, session.env)
  const baton = await session.baton()
  const created = await baton.jobs.create({
    key,
    agent: options.agent,
    prompt,
    ...(options.name ? { name: options.name } : {}),
    ...(options.cwd ? { workspace: options.cwd } : {}),
    rules: readRules(options),
    ...readApprovals(options),
    triggers,
    outputs: await readTo(options, session.env),
  })
  const [hook] = created.secrets
  session.print(created, () => (hook ? describeHook(hook) : keptSentence(key, triggers.length)))
  for (const { outputId, secret } of created.outputSecrets)
    session.note(
      `The webhook output ${outputId} is signed with this secret, which is not shown again:\n${secret}`,
    )
}

function keptSentence(key: string, triggers: number): string {
  return triggers === 0
    ? `${key} is kept. Fire it with: baton job run ${key} -f`
    : `${key} is kept. See what fires it: baton job trigger list ${key}`
}

export async function listJobs(session: Session): Promise<void> {
  const baton = await session.baton()
  const jobs = await baton.jobs.list()
  session.print({ items: jobs }, () =>
    table(
      ['key', '', 'agent', 'fired by', 'last runs', ''],
      jobs.map((one) => [
        printable(one.key),
        one.enabled ? session.out('green', 'on') : session.out('yellow', 'off'),
        printable(one.agent.key),
        one.triggers.map(triggerWord).join(', ') || 'hand',
        one.lastRuns.map(({ status }) => STATUS_SHAPES[status]).join(''),
        clip(printable(one.prompt), 50),
      ]),
      session.out,
    ),
  )
  if (jobs.length === 0)
    session.note('No jobs yet. Keep one: baton job create <key> --agent <key> --prompt "…" --hook github')
}

export async function showJob(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  session.print(job, () => describe(job, session))
}

export async function runJob(
  session: Session,
  [id = '']: string[],
  options: { payload?: string; payloadFile?: string; follow?: boolean },
): Promise<number> {
  const payload = await readPayload(options)
  const baton = await session.baton()
  const run = await baton.jobs.run((await baton.jobs.get(id)).id, {
    ...(payload === undefined ? {} : { payload }),
    // Asked for by an agent: what it starts is known to come from its run.
    ...(session.env.BATON_RUN_ID ? { cause: session.env.BATON_RUN_ID } : {}),
  })
  if (options.follow) {
    session.note(`${run.id}  ${run.url}`)
    const { followToEnd } = await import('./run.ts')
    return followToEnd(session, run)
  }
  session.print({ runId: run.id, url: run.url }, () => run.id)
  session.note(`${run.url}\nFollow it with: baton logs ${shortId(run.id)} -f`)
  return 0
}

export async function enableJob(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const job = await baton.jobs.enable((await baton.jobs.get(id)).id)
  session.print(job, () => `${printable(job.key)} is on.`)
}

export async function disableJob(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const job = await baton.jobs.disable((await baton.jobs.get(id)).id)
  session.print(job, () => `${printable(job.key)} is off: events that come for it are kept and fire nothing.`)
}

export async function rotateJobSecret(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  const hook = job.triggers.find((one) => one.kind === 'webhook')
  if (!hook) throw new BatonError('conflict', `${job.key} has no webhook, so it has no secret.`)
  await confirm(session, `Make a new secret for ${job.key}? Its sender needs it.`)
  const { secret } = await baton.jobs.rotateSecret(hook.id)
  session.print({ triggerId: hook.id, url: hook.url, secret }, () => secret)
  session.note('Keep it: it is not shown again.')
}

export async function deleteJob(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const job = await baton.jobs.get(id)
  await confirm(session, `Delete the job ${job.key}? Its public address stops answering.`)
  await baton.jobs.delete(job.id)
  session.print({ id: job.id, deleted: true }, () => `${printable(job.key)} is deleted.`)
}

function describe(job: JobView, { out }: Session): string {
  const runs = job.lastRuns.map(({ id, status }) => `  ${STATUS_SHAPES[status]} ${shortId(id)}`)
  return [
    `${out('bold', printable(job.key))}  ${job.enabled ? out('green', 'on') : out('yellow', 'off')}  ${out('dim', job.id)}`,
    `  ${printable(job.agent.key)}${job.workspace ? `, in ${printable(job.workspace)}` : ''}`,
    ...job.triggers.map((trigger) => `  ${triggerLines(trigger).join('\n    ')}`),
    ...(job.approvals.allow ?? []).map((pattern) => `  allowed without a question: ${printable(pattern)}`),
    '',
    printable(job.prompt),
    ...(runs.length > 0 ? ['', ...runs] : []),
  ].join('\n')
}

async function readPrompt({ prompt, promptFile }: CreateOptions): Promise<string> {
  if (prompt !== undefined) return prompt
  if (promptFile !== undefined) return readInput('--prompt-file', promptFile)
  throw new BatonError('bad_input', 'Say what to do: --prompt <text> or --prompt-file <file>.')
}
