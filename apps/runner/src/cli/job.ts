import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { BatonError, type JobView, STATUS_SHAPES } from '@baton/protocol'
import type { TriggerSecret } from '@baton/sdk'
import { type ApprovalOptions, readApprovals } from './approval-options.ts'
import { confirm } from './confirm.ts'
import { printable } from './printable.ts'
import { type RuleOptions, readRules } from './rule-options.ts'
import type { Session } from './session.ts'
import { clip, shortId, table } from './text.ts'

type CreateOptions = {
  agent?: string
  prompt?: string
  promptFile?: string
  hook?: string
  path?: string
  cwd?: string
  name?: string
} & RuleOptions &
  ApprovalOptions
const SCHEMES = ['github', 'standard', 'baton'] as const

export async function createJob(
  session: Session,
  [key = '']: string[],
  options: CreateOptions,
): Promise<void> {
  if (!options.agent)
    throw new BatonError('bad_input', 'Say who does it: --agent <key>. "baton agent list" shows them.')
  const prompt = await readPrompt(options)
  const scheme = SCHEMES.find((one) => one === options.hook)
  if (options.hook && !scheme)
    throw new BatonError('bad_input', `--hook ${options.hook}: choose from ${SCHEMES.join(', ')}.`)
  const baton = await session.baton()
  const created = await baton.jobs.create({
    key,
    agent: options.agent,
    prompt,
    ...(options.name ? { name: options.name } : {}),
    ...(options.cwd ? { workspace: options.cwd } : {}),
    rules: readRules(options),
    ...readApprovals(options),
    ...(scheme
      ? { triggers: [{ kind: 'webhook', scheme, ...(options.path ? { path: options.path } : {}) }] }
      : {}),
  })
  const [hook] = created.secrets
  session.print(created, () =>
    hook ? describeHook(hook) : `${key} is kept. Fire it with: baton job run ${key} -f`,
  )
}

function describeHook(hook: TriggerSecret): string {
  const shown = [
    `url     ${hook.url}`,
    `secret  ${hook.secret}`,
    '',
    'The secret is not shown again. Try it:',
    '',
  ]
  return [...shown, ...curlLines(hook)].join('\n')
}

/** Lines for a shell that send one signed request: to try it by hand, on a computer of one's own. */
function curlLines({ url, secret, scheme }: TriggerSecret): string[] {
  const send = `curl -sS '${url}' -H 'Content-Type: application/json' --data-binary "$BODY"`
  const hmac = (signed: string) => `printf '%s' "${signed}" | openssl dgst -sha256 -hmac "$SECRET"`
  switch (scheme) {
    case 'baton':
      return [
        `SECRET='${secret}' BODY='{"ref":"main"}' T=$(date +%s)`,
        `${send} -H "X-Baton-Signature: t=$T,v1=$(${hmac('$T.$BODY')} -r | cut -d' ' -f1)"`,
      ]
    case 'github':
      return [
        `SECRET='${secret}' BODY='{"ref":"refs/heads/main","before":"0","after":"1","commits":[],"pusher":{"name":"ada"}}'`,
        `${send} -H 'X-GitHub-Event: push' -H "X-GitHub-Delivery: $(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)" -H "X-Hub-Signature-256: sha256=$(${hmac('$BODY')} -r | cut -d' ' -f1)"`,
      ]
    case 'standard':
      return [
        `SECRET='${secret}' BODY='{"type":"test"}' T=$(date +%s) ID=msg_$(date +%s%N)`,
        `KEY=$(printf '%s' "\${SECRET#whsec_}" | base64 -d | od -An -vtx1 | tr -d ' \\n')`,
        `${send} -H "webhook-id: $ID" -H "webhook-timestamp: $T" -H "webhook-signature: v1,$(printf '%s' "$ID.$T.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)"`,
      ]
  }
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
        one.triggers
          .map((trigger) => (trigger.kind === 'webhook' ? `${trigger.scheme} webhook` : 'hand'))
          .join(', '),
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
  const run = await baton.jobs.run((await baton.jobs.get(id)).id, payload === undefined ? {} : { payload })
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
    ...job.triggers.map((trigger) =>
      trigger.kind === 'webhook' ? `  ${trigger.scheme} webhook  ${trigger.url}` : '  by hand',
    ),
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

async function readPayload({
  payload,
  payloadFile,
}: {
  payload?: string
  payloadFile?: string
}): Promise<unknown> {
  const text =
    payload ?? (payloadFile === undefined ? undefined : await readInput('--payload-file', payloadFile))
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new BatonError('bad_input', `The payload is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

async function readInput(flag: string, file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new BatonError('bad_input', `${flag} ${file}: ${(error as Error).message}`, { cause: error })
  }
}
