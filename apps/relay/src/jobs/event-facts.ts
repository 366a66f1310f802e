import type { EventSource } from '@baton/protocol'
import type { TemplateFacts } from './render-prompt.ts'

/** What prompts, keys of rules and filters can name of an event. */
export function eventFacts(
  event: { id: string; source: EventSource; headers: Record<string, string>; payload: unknown },
  job: { key: string; name: string },
): TemplateFacts {
  const { payload, ...rest } = event
  const inside = (key: string): unknown =>
    typeof payload === 'object' && payload !== null && Object.hasOwn(payload, key)
      ? Reflect.get(payload, key)
      : undefined
  return {
    payload,
    event: rest,
    job: { key: job.key, name: job.name },
    ...(isOwn(event.source) && { fire: inside('fire'), changes: inside('changes'), push: inside('push') }),
  }
}

/** Bodies that a part of Baton wrote, or a person who wants to try one. */
const isOwn = (source: EventSource) =>
  source === 'cron' ||
  source === 'interval' ||
  source === 'file_change' ||
  source === 'git_push' ||
  source === 'manual'
