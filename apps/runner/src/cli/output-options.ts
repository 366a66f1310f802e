import { readFile } from 'node:fs/promises'
import {
  BatonError,
  OUTPUT_MOMENTS,
  type OutputMoment,
  type OutputText,
  RESULT_FORMATS,
  type ResultFormat,
  USER_OUTPUT_KINDS,
  type UserOutputKind,
} from '@baton/protocol'
import type { NewOutput } from '@baton/sdk'
import { readInput } from './read-payload.ts'

/** What of an output can be said with flags. */
export type OutputFlags = {
  on?: string
  subject?: string
  body?: string
  bodyFile?: string
  format?: string
  schema?: string
}
export type OutputOptions = OutputFlags & {
  secretEnv?: string
  overwrite?: boolean
  from?: string
  smtp?: string
  smtpUser?: string
  header?: string[]
}
export type ToOptions = { to?: string[]; toOn?: string; toSecretEnv?: string; output?: string }

/** For `baton job create`; `baton output add` has every option. */
export const TO_OPTIONS: [string, string][] = [
  [
    '--to <where...>',
    'send results: log, stdout, file:<path>, slack, slack:<channel>, email:<address>, webhook:<url>, github_comment',
  ],
  ['--to-on <moment>', `when: ${OUTPUT_MOMENTS.join(', ')} (default: always)`],
  [
    '--to-secret-env <name>',
    'the environment variable with the Slack token, the Slack webhook or the signing secret',
  ],
  [
    '--output <file>',
    'outputs with all that they have, as JSON: one or a list, each with kind, on, config and text ("-" for stdin)',
  ],
]

export const OUTPUT_TEXT_OPTIONS: [string, string][] = [
  ['--on <moment>', `when: ${OUTPUT_MOMENTS.join(', ')} (default: always)`],
  ['--subject <template>', 'its first line, such as "{{ job.name }}: {{ run.outcome }}"'],
  ['--body <template>', 'what it says, such as "{{ run.result }}" (default: a short account of the run)'],
  ['--body-file <file>', 'the same, from a file'],
  ['--format <format>', `how the body is written: ${RESULT_FORMATS.join(', ')} (default: text)`],
  ['--schema <file>', 'a JSON Schema that the result must match; else it is told as a failure'],
]

export const OUTPUT_KIND_OPTIONS: [string, string][] = [
  [
    '--secret-env <name>',
    'the environment variable with the Slack token, the Slack webhook, the signing secret or the mail password',
  ],
  ['--overwrite', 'file: replace what stands in it (default: append)'],
  ['--from <address>', 'email: the sender'],
  ['--smtp <host:port>', "email: the mail server (default: the relay's own)"],
  ['--smtp-user <name>', 'email: who signs in there, with the password of --secret-env'],
  ['--header <name=env...>', 'webhook: a header and the environment variable with its value'],
]

/** The outputs that `--to` and `--output` ask for. The relay looks at what the file says. */
export async function readTo(options: ToOptions, env: NodeJS.ProcessEnv): Promise<NewOutput[]> {
  const on = readMoment('--to-on', options.toOn)
  const short = (options.to ?? []).map((where) => ({
    ...readWhere(where, { ...(options.toSecretEnv && { secretEnv: options.toSecretEnv }) }, env),
    ...(on && { on }),
  }))
  if (options.output === undefined) return short
  const given: unknown = parseJson('--output', options.output, await readInput('--output', options.output))
  return [...short, ...((Array.isArray(given) ? given : [given]) as NewOutput[])]
}

/** One output: where it goes, and what the other flags say about it. */
export async function readOutput(
  where: string,
  options: OutputOptions,
  env: NodeJS.ProcessEnv,
): Promise<NewOutput> {
  const on = readMoment('--on', options.on)
  return { ...readWhere(where, options, env), ...(on && { on }), text: await readOutputText(options) }
}

export function readMoment(flag: string, value: string | undefined): OutputMoment | undefined {
  if (value === undefined || (OUTPUT_MOMENTS as readonly string[]).includes(value))
    return value as OutputMoment
  throw new BatonError('bad_input', `${flag} ${value}: give one of ${OUTPUT_MOMENTS.join(', ')}.`)
}

export async function readOutputText(options: OutputFlags): Promise<Partial<OutputText>> {
  const { subject, body, bodyFile, format, schema } = options
  if (format !== undefined && !(RESULT_FORMATS as readonly string[]).includes(format))
    throw new BatonError('bad_input', `--format ${format}: give one of ${RESULT_FORMATS.join(', ')}.`)
  const text = bodyFile === undefined ? body : await readText('--body-file', bodyFile)
  return {
    ...(subject !== undefined && { subject }),
    ...(text !== undefined && { body: text }),
    ...(format !== undefined && { format: format as ResultFormat }),
    ...(schema !== undefined && {
      schema: parseJson('--schema', schema, await readText('--schema', schema)),
    }),
  }
}

function readWhere(where: string, options: OutputOptions, env: NodeJS.ProcessEnv): NewOutput {
  const at = where.indexOf(':')
  const kind = (at === -1 ? where : where.slice(0, at)) as UserOutputKind
  const rest = at === -1 ? '' : where.slice(at + 1)
  if (where === 'room' || where === 'lark' || /^(room|lark):/.test(where))
    throw new BatonError(
      'bad_input',
      `Outputs to a ${where.startsWith('room') ? 'room' : 'Lark chat'} do not exist yet.`,
    )
  if (!USER_OUTPUT_KINDS.includes(kind))
    throw new BatonError(
      'bad_input',
      `"${where}" is no place for results. Give ${USER_OUTPUT_KINDS.join(', ')}, as in email:you@example.com.`,
    )
  const secret = options.secretEnv === undefined ? undefined : fromEnv('--secret-env', options.secretEnv, env)
  return { kind, config: configOf(kind, rest, secret, options, env) }
}

function configOf(
  kind: UserOutputKind,
  rest: string,
  secret: string | undefined,
  options: OutputOptions,
  env: NodeJS.ProcessEnv,
): Record<string, unknown> {
  switch (kind) {
    case 'log':
    case 'stdout':
      return {}
    case 'file':
      return { path: rest, mode: options.overwrite ? 'overwrite' : 'append' }
    case 'slack':
      if (secret === undefined)
        throw new BatonError(
          'bad_input',
          'Slack needs a secret: put the bot token (with slack:<channel>) or the address of an incoming webhook (with slack) into an environment variable, and name that with --secret-env.',
        )
      return rest === '' ? { webhookUrl: secret } : { token: secret, channel: rest }
    case 'email':
      return { to: rest.split(',').filter(Boolean), ...mailConfig(secret, options) }
    case 'webhook':
      return { url: rest, ...(secret !== undefined && { secret }), ...headers(options.header ?? [], env) }
    case 'github_comment': {
      const match = /^([^#]+)(?:#(\d+))?$/.exec(rest)
      return rest === ''
        ? {}
        : { repository: match?.[1] ?? rest, ...(match?.[2] && { number: Number(match[2]) }) }
    }
  }
}

function mailConfig(
  password: string | undefined,
  { from, smtp, smtpUser }: OutputOptions,
): Record<string, unknown> {
  const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(smtp ?? '') ?? []
  return {
    ...(from && { from }),
    ...(host && { host }),
    ...(port && { port: Number(port) }),
    ...(smtpUser && { user: smtpUser }),
    ...(password !== undefined && { password }),
  }
}

function headers(given: string[], env: NodeJS.ProcessEnv): { headers?: Record<string, string> } {
  if (given.length === 0) return {}
  return {
    headers: Object.fromEntries(
      given.map((one) => {
        const [, name, variable] = /^([^=]+)=(.+)$/.exec(one) ?? []
        if (!name || !variable)
          throw new BatonError(
            'bad_input',
            `--header ${one}: give a name and an environment variable, as in Authorization=API_AUTH.`,
          )
        return [name, fromEnv('--header', variable, env)]
      }),
    ),
  }
}

/** Secrets come from the environment and never from the command line, where every process can read them. */
function fromEnv(flag: string, name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name]
  if (value) return value
  throw new BatonError('bad_input', `${flag} ${name}: this environment variable is not set.`)
}

async function readText(flag: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw new BatonError('bad_input', `${flag} ${file}: ${cause.message}`, { cause })
  })
}

function parseJson(flag: string, file: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw new BatonError('bad_input', `${flag} ${file} is no JSON: ${(cause as Error).message}`, { cause })
  }
}
