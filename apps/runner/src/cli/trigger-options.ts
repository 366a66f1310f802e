import { homedir } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import {
  BatonError,
  FILTER_OPS,
  type FilterOp,
  type Misfire,
  type NewTriggerInput,
  type TriggerFilter,
  WEBHOOK_SCHEMES,
} from '@baton/protocol'
import { GITHUB_OPTIONS, type GithubOptions, readGithubTrigger } from './github-options.ts'
import { readDuration } from './rule-options.ts'

export type TriggerOptions = {
  hook?: string
  path?: string
  secretEnv?: string
  filter?: string[]
  acceptUnsigned?: boolean
  cron?: string
  zone?: string
  every?: string
  misfire?: string
  watch?: string
  glob?: string[]
  ignore?: string[]
  quiet?: string
  gitPush?: boolean
  branch?: string[]
} & GithubOptions

export const TRIGGER_OPTIONS: [string, string][] = [
  ['--hook <scheme>', `fire it by webhooks signed as this sender signs: ${WEBHOOK_SCHEMES.join(', ')}`],
  ['--path <path>', 'the end of its public address (default: one that nobody can guess)'],
  ['--secret-env <name>', 'the environment variable with the secret that the sender already has'],
  [
    '--filter <condition...>',
    `only events with this, such as "payload.action eq opened" (${FILTER_OPS.join(', ')})`,
  ],
  ['--accept-unsigned', 'for --hook none: anybody who knows the address fires a fixed command'],
  ['--cron <expression>', 'fire it at times: five fields such as "30 2 * * 1-5", or @daily'],
  ['--zone <zone>', "the time zone of --cron, such as Europe/Berlin (default: this computer's)"],
  ['--every <duration>', 'fire it again and again, such as 90s, 15m or 2h'],
  ['--misfire <policy>', 'slots that passed while no relay ran: none, last (default), or all:<most>'],
  ['--watch <folder>', "fire it when files change in this folder of the agent's machine"],
  ['--glob <pattern...>', 'with --watch: only these paths, such as "src/**" (default: all)'],
  ['--ignore <pattern...>', 'with --watch: not these (default: .git and node_modules)'],
  ['--quiet <duration>', 'with --watch: once nothing has changed for so long (default: 2s)'],
  ['--git-push', 'fire it by pushes: then "baton hook git install" in the repository'],
  [
    '--branch <pattern...>',
    'with --git-push or --on: only these branches, such as "release/*" (default: all)',
  ],
  ...GITHUB_OPTIONS,
]

/** What the flags ask for: any number of triggers, one of each kind. */
export function readTriggers(options: TriggerOptions, env: NodeJS.ProcessEnv): NewTriggerInput[] {
  const triggers: NewTriggerInput[] = []
  if (options.hook !== undefined) triggers.push(readWebhook(options, options.hook, env))
  else refuseWithout('--hook', options, ['path', 'secretEnv', 'filter', 'acceptUnsigned'])
  if (options.cron !== undefined) {
    const zone = options.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC'
    triggers.push({ kind: 'cron', expression: options.cron, zone, ...readMisfire(options) })
  } else refuseWithout('--cron', options, ['zone'])
  if (options.every !== undefined)
    triggers.push({
      kind: 'interval',
      everyMs: readDuration('--every', options.every),
      ...readMisfire(options),
    })
  if (options.cron === undefined && options.every === undefined)
    refuseWithout('--cron or --every', options, ['misfire'])
  if (options.watch !== undefined) triggers.push(readWatch(options, options.watch))
  else refuseWithout('--watch', options, ['glob', 'ignore', 'quiet'])
  if (options.gitPush)
    triggers.push({ kind: 'git_push', ...(options.branch ? { branches: options.branch } : {}) })
  else if (options.on === undefined) refuseWithout('--git-push or --on', options, ['branch'])
  const github = readGithubTrigger(options)
  if (github) triggers.push(github)
  return triggers
}

function refuseWithout(flag: string, options: TriggerOptions, names: (keyof TriggerOptions)[]): void {
  const lone = names.find((name) => options[name] !== undefined)
  if (!lone) return
  const written = `--${lone.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  throw new BatonError('bad_input', `${written} belongs to ${flag}, which is not given.`)
}

function readWebhook(options: TriggerOptions, hook: string, env: NodeJS.ProcessEnv): NewTriggerInput {
  const scheme = WEBHOOK_SCHEMES.find((one) => one === hook)
  if (!scheme) throw new BatonError('bad_input', `--hook ${hook}: choose from ${WEBHOOK_SCHEMES.join(', ')}.`)
  const secret = options.secretEnv === undefined ? undefined : env[options.secretEnv]
  if (options.secretEnv !== undefined && !secret)
    throw new BatonError(
      'bad_input',
      `--secret-env ${options.secretEnv}: this environment variable is not set.`,
    )
  return {
    kind: 'webhook',
    scheme,
    ...(options.path ? { path: options.path } : {}),
    ...(secret ? { secret } : {}),
    ...(options.acceptUnsigned ? { acceptUnsigned: true } : {}),
    ...(options.filter ? { filters: options.filter.map(readFilter) } : {}),
  }
}

/** `payload.action eq opened`, `payload.size gt 3`, `payload.label in ["a","b"]`, `payload.draft missing`. */
export function readFilter(text: string): TriggerFilter {
  const [, field = '', op = '', rest] = /^\s*(\S+)\s+(\S+)(?:\s+([\s\S]+?))?\s*$/.exec(text) ?? []
  if (!FILTER_OPS.includes(op as FilterOp)) {
    throw new BatonError(
      'bad_input',
      `--filter "${text}": write a field, one of ${FILTER_OPS.join(', ')}, and a value: "payload.action eq opened".`,
    )
  }
  const value = rest === undefined ? undefined : readValue(rest)
  return { field, op: op as FilterOp, ...(value === undefined ? {} : { value }) } as TriggerFilter
}

/** A number, a list or a text in quotes is read as JSON; any other word is a text. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function readMisfire({ misfire }: TriggerOptions): { misfire?: Misfire } {
  if (misfire === undefined) return {}
  const [, policy = '', max] = /^(none|last|all)(?::(\d{1,3}))?$/.exec(misfire) ?? []
  if (!policy || (max !== undefined && policy !== 'all'))
    throw new BatonError('bad_input', `--misfire ${misfire}: choose none, last or all:<most>, such as all:5.`)
  return { misfire: { policy: policy as Misfire['policy'], max: Number(max ?? 10) } }
}

/** A relative folder is one of this computer, which is the agent's as often as not. */
function readWatch(options: TriggerOptions, watch: string): NewTriggerInput {
  const home = homedir()
  const folder = watch.startsWith('~') || isAbsolute(watch) ? watch : resolve(watch)
  return {
    kind: 'file_change',
    folder: folder === home ? '~' : folder,
    ...(options.glob ? { globs: options.glob } : {}),
    ...(options.ignore ? { ignore: options.ignore } : {}),
    ...(options.quiet ? { quietMs: readDuration('--quiet', options.quiet) } : {}),
  }
}
