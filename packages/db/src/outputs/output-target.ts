import type { OutputKind } from '@baton/protocol'

/** Where an output goes, in a few words and without secrets. */
export function outputTarget(kind: OutputKind, config: Record<string, unknown>): string {
  switch (kind) {
    case 'log':
      return 'the run itself'
    case 'stdout':
      return "the runner's own log"
    case 'file':
      return `${text(config.path)} (${config.mode === 'overwrite' ? 'overwritten' : 'appended'})`
    case 'slack':
      return typeof config.channel === 'string' ? config.channel : 'an incoming webhook'
    case 'email':
      return Array.isArray(config.to) ? config.to.join(', ') : ''
    case 'webhook':
      return withoutQuery(text(config.url))
    case 'github_comment':
      return typeof config.repository === 'string'
        ? `${config.repository}${config.number === undefined ? '' : `#${text(config.number)}`}`
        : 'where the event came from'
    default:
      return 'GitHub'
  }
}

const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

/** Some services put their key into the query. */
function withoutQuery(text: string): string {
  const url = URL.parse(text)
  return url ? `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}` : text
}
