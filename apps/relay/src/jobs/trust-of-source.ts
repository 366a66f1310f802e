import type { EventSource, Trust } from '@baton/protocol'

/**
 * How far the text of an event is trusted where nothing more is known about who caused it: what a stranger could have
 * written is `public`. A trigger that knows its actor may say `member`.
 */
export const TRUST_OF_SOURCE: Record<EventSource, Trust> = {
  manual: 'member',
  cron: 'member',
  interval: 'member',
  file_change: 'member',
  message: 'member',
  webhook: 'public',
  git_push: 'public',
  github: 'public',
}
