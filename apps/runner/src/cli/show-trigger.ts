import { filterText, type TriggerView } from '@baton/protocol'
import { printable } from './printable.ts'
import { duration, localTime } from './text.ts'

/** A trigger in a few words, for a list. */
export function triggerWord(trigger: TriggerView): string {
  const word = plainWord(trigger)
  return trigger.paused ? `${word} (paused)` : word
}

function plainWord(trigger: TriggerView): string {
  switch (trigger.kind) {
    case 'webhook':
      return `${trigger.scheme} webhook`
    case 'cron':
      return printable(trigger.expression)
    case 'interval':
      return `every ${duration(trigger.everyMs)}`
    case 'file_change':
      return `files in ${printable(trigger.folder)}`
    case 'git_push':
      return `push to ${printable(trigger.branches.join(' '))}`
    case 'github':
      return printable(`github ${trigger.event}${trigger.command ? ` ${trigger.command}` : ''}`)
    case 'manual':
      return 'hand'
    default:
      return (trigger as { kind: string }).kind
  }
}

/** The same with everything that can be known of it, one line each. */
export function triggerLines(trigger: TriggerView): string[] {
  const lines = [`${triggerWord(trigger)}  ${trigger.id}`]
  switch (trigger.kind) {
    case 'webhook':
      lines.push(trigger.url, ...trigger.filters.map((filter) => `only if ${printable(filterText(filter))}`))
      if (trigger.secrets > 1) lines.push('two secrets are valid until the next rotation')
      break
    case 'cron':
    case 'interval': {
      const { policy, max } = trigger.misfire
      if (trigger.kind === 'cron') lines.push(`zone ${trigger.zone}`)
      if (trigger.nextFireAt !== null) lines.push(`next ${localTime(trigger.nextFireAt)}`)
      lines.push(`missed slots: ${policy === 'all' ? `the newest ${max}` : policy}`)
      break
    }
    case 'file_change':
      lines.push(`paths ${printable(trigger.globs.join(' '))}, once quiet for ${duration(trigger.quietMs)}`)
      if (!trigger.watch) lines.push('its machine has not said yet that it watches')
      else
        lines.push(
          `${trigger.watch.state}${trigger.watch.message ? `: ${printable(trigger.watch.message)}` : ''}`,
        )
      break
    case 'github':
      if (trigger.repositories.length > 0) lines.push(`in ${printable(trigger.repositories.join(' '))}`)
      for (const [word, globs] of [
        ['branches', trigger.branches],
        ['paths', trigger.paths],
        ['labels', trigger.labels],
        ['by', trigger.actors],
      ] as const)
        if (globs.length > 0) lines.push(`${word} ${printable(globs.join(' '))}`)
      lines.push('by people with write permission only')
      break
    default:
  }
  return lines
}
