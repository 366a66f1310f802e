import { githubTriggerConfig } from '@baton/protocol'
import { mismatchOf } from './match-trigger.ts'
import { readEvent } from './read-event.ts'

/**
 * For trying a job on an event: why its trigger would not fire, by what the event itself says. Who made it is not asked
 * here, and a mention is taken for one of the App that the trigger names.
 */
export function whyNotGithub(config: unknown, name: string, payload: unknown): string | null {
  const subject = readEvent(name, payload)
  if (!subject) return `No trigger can listen to ${name || 'this event'}.`
  const trigger = githubTriggerConfig.parse(config)
  const app = trigger.app ?? ''
  const known = app === '' && trigger.command === null ? { ...trigger, mention: false } : trigger
  const why = mismatchOf(known, subject, { id: app, slug: app })
  return why === null ? null : `${why.charAt(0).toUpperCase()}${why.slice(1)}.`
}
