import { KEPT_SECRET, type OutputMoment, type UserOutputKind } from '@baton/protocol'

/** What a person fills in for an output, as the fields of the form hold it. */
export type OutputFields = {
  path: string
  overwrite: boolean
  slackAs: 'webhook' | 'bot'
  secret: string
  channel: string
  to: string
  from: string
  host: string
  port: string
  user: string
  url: string
  repository: string
  number: string
}

export const KIND_LABELS: Record<UserOutputKind, string> = {
  log: 'Kept with the run',
  stdout: "The runner's log",
  file: 'A file on the machine',
  slack: 'Slack',
  email: 'Email',
  webhook: 'Webhook',
  github_comment: 'Comment on GitHub',
}

export const MOMENT_LABELS: Record<OutputMoment, string> = {
  always: 'whenever it ends',
  success: 'when it succeeded',
  failure: 'when it failed',
  accepted: 'when a machine has taken it on',
  started: 'when the agent has started',
}

const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

export function toFields(kind: UserOutputKind, config: Record<string, unknown>): OutputFields {
  return {
    path: text(config.path),
    overwrite: config.mode === 'overwrite',
    slackAs: config.token === undefined && kind === 'slack' ? 'webhook' : 'bot',
    secret: text(config.webhookUrl ?? config.token ?? config.password ?? config.secret),
    channel: text(config.channel),
    to: Array.isArray(config.to) ? config.to.join(', ') : '',
    from: text(config.from),
    host: text(config.host),
    port: text(config.port),
    user: text(config.user),
    url: text(config.url),
    repository: text(config.repository),
    number: text(config.number),
  }
}

/** Fields that no form shows (headers, an API address) stay as they are in `before`. */
export function toConfig(
  kind: UserOutputKind,
  fields: OutputFields,
  before: Record<string, unknown>,
): Record<string, unknown> {
  switch (kind) {
    case 'log':
    case 'stdout':
      return {}
    case 'file':
      return { path: fields.path, mode: fields.overwrite ? 'overwrite' : 'append' }
    case 'slack':
      return fields.slackAs === 'webhook'
        ? { webhookUrl: fields.secret }
        : {
            token: fields.secret,
            channel: fields.channel,
            ...(before.apiUrl !== undefined && { apiUrl: before.apiUrl }),
          }
    case 'email':
      return {
        to: fields.to.split(/[\s,]+/).filter(Boolean),
        ...filled({ from: fields.from, host: fields.host, user: fields.user, password: fields.secret }),
        ...(fields.port !== '' && { port: Number(fields.port) }),
      }
    case 'webhook':
      return {
        url: fields.url,
        ...filled({ secret: fields.secret }),
        ...(before.headers !== undefined && { headers: before.headers }),
      }
    case 'github_comment':
      return {
        ...filled({ repository: fields.repository }),
        ...(fields.number !== '' && { number: Number(fields.number) }),
      }
  }
}

export const isKept = (secret: string) => secret === KEPT_SECRET

const filled = (fields: Record<string, string>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
