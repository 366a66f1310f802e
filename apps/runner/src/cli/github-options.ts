import { BatonError, GITHUB_TRIGGER_EVENTS, type NewTriggerInput } from '@baton/protocol'

export type GithubOptions = {
  on?: string
  repo?: string[]
  command?: string
  mention?: boolean
  action?: string[]
  label?: string[]
  actor?: string[]
  changed?: string[]
  branch?: string[]
  forks?: boolean
  bot?: string[]
  app?: string
  tell?: string
}

const TELLS = ['reaction', 'comment', 'check', 'result', 'pull-request'] as const
const NAMES = [
  'repo',
  'command',
  'mention',
  'action',
  'label',
  'actor',
  'changed',
  'forks',
  'bot',
  'app',
  'tell',
] as const

export const GITHUB_OPTIONS: [string, string][] = [
  [
    '--on <event>',
    `fire it by events of a GitHub App: github:<event> with ${GITHUB_TRIGGER_EVENTS.join(', ')}`,
  ],
  [
    '--repo <owner/name...>',
    'with --on: only in these repositories, such as "acme/*" (default: all it is installed on)',
  ],
  ['--command </word>', 'with --on: only when the text begins with this, such as /fix'],
  ['--mention', 'with --on: only when the App is mentioned as @its-name (or the command is given)'],
  ['--action <word...>', 'with --on: these actions instead of the usual ones, such as edited'],
  ['--label <pattern...>', 'with --on: only with one of these labels'],
  ['--actor <login...>', 'with --on: only by these people; write permission is needed all the same'],
  [
    '--changed <pattern...>',
    'with --on github:push or github:pull_request: only when one of these paths changed',
  ],
  ['--forks', 'with --on: pull requests, checks and workflows of forks, too'],
  [
    '--bot <app-id...>',
    'with --on: by these Apps, too; <app-id>:<installation-id> for one installation only',
  ],
  ['--app <slug>', 'with --on: of this App (needed when there are several)'],
  [
    '--tell <list>',
    `with --on: what GitHub is shown: ${TELLS.join(', ')} or none (default: reaction,comment,check)`,
  ],
]

/** The trigger that `--on github:…` asks for; null without it. */
export function readGithubTrigger(options: GithubOptions): NewTriggerInput | null {
  if (options.on === undefined) {
    const lone = NAMES.find((name) => options[name] !== undefined)
    if (lone) throw new BatonError('bad_input', `--${lone} belongs to --on, which is not given.`)
    return null
  }
  const name = options.on.startsWith('github:') ? options.on.slice('github:'.length) : ''
  const event = GITHUB_TRIGGER_EVENTS.find((one) => one === name)
  if (!event)
    throw new BatonError(
      'bad_input',
      `--on ${options.on}: write github: and one of ${GITHUB_TRIGGER_EVENTS.join(', ')}, such as github:issue_comment.`,
    )
  return {
    kind: 'github',
    event,
    ...(options.app ? { app: options.app } : {}),
    ...(options.repo ? { repositories: options.repo } : {}),
    ...(options.command ? { command: options.command } : {}),
    ...(options.mention ? { mention: true } : {}),
    ...(options.action ? { actions: options.action } : {}),
    ...(options.label ? { labels: options.label } : {}),
    ...(options.actor ? { actors: options.actor } : {}),
    ...(options.changed ? { paths: options.changed } : {}),
    ...(options.branch ? { branches: options.branch } : {}),
    ...(options.forks ? { forks: true } : {}),
    ...(options.bot ? { bots: options.bot.map(readBot) } : {}),
    ...(options.tell === undefined ? {} : { feedback: readTells(options.tell) }),
  }
}

function readBot(text: string): { appId: number; installationId?: number } {
  const [, app, installation] = /^(\d{1,15})(?::(\d{1,15}))?$/.exec(text) ?? []
  if (!app)
    throw new BatonError('bad_input', `--bot ${text}: give the number of the App, or <app>:<installation>.`)
  return { appId: Number(app), ...(installation ? { installationId: Number(installation) } : {}) }
}

function readTells(text: string) {
  const words = text.split(',').map((word) => word.trim())
  const wrong = words.find((word) => word !== 'none' && !TELLS.some((one) => one === word))
  if (wrong !== undefined)
    throw new BatonError('bad_input', `--tell ${wrong}: choose from ${TELLS.join(', ')}, or none.`)
  const has = (word: (typeof TELLS)[number]) => words.includes(word)
  return {
    reaction: has('reaction'),
    comment: has('comment'),
    check: has('check'),
    resultComment: has('result'),
    pullRequest: has('pull-request'),
  }
}
