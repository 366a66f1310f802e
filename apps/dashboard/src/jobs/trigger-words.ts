import type { TriggerView, WebhookScheme } from '@baton/protocol'
import { formatDuration, plural } from '../elements/format.ts'

export const SCHEME_WORDS: Record<WebhookScheme, string> = {
  baton: 'signed by Baton’s own scheme, with one line of shell',
  github: 'signed as GitHub does',
  standard: 'signed as Standard Webhooks',
  slack: 'signed as Slack does',
  stripe: 'signed as Stripe does',
  lark: 'signed as Lark does',
  bearer: 'with a bearer token',
  none: 'not signed at all',
}

export const KIND_WORDS: Record<TriggerView['kind'], string> = {
  manual: 'By hand',
  webhook: 'Webhook',
  cron: 'Schedule',
  interval: 'Interval',
  file_change: 'Changed files',
  git_push: 'Git push',
  github: 'GitHub',
}

/** What fires a job, as one line for lists. */
export function triggerLine(trigger: TriggerView): string {
  const paused = trigger.paused ? ', paused' : ''
  switch (trigger.kind) {
    case 'manual':
      return 'by hand'
    case 'webhook': {
      const filters = trigger.filters.length > 0 ? `, ${plural(trigger.filters.length, 'filter')}` : ''
      return `webhook (${trigger.scheme}${filters})${paused}`
    }
    case 'cron':
      return `at ${trigger.expression} (${trigger.zone})${paused}`
    case 'interval':
      return `every ${formatDuration(trigger.everyMs)}${paused}`
    case 'file_change':
      return `changed files in ${trigger.folder}${paused}`
    case 'git_push':
      return `git push to ${trigger.branches.join(', ')}${paused}`
    case 'github': {
      const what = [trigger.event.replaceAll('_', ' '), trigger.command].filter(Boolean).join(' ')
      return `GitHub ${what}${paused}`
    }
  }
}
