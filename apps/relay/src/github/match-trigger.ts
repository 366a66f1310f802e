import { GITHUB_USUAL_ACTIONS, type GithubTriggerConfig, matchesGlob } from '@baton/protocol'
import { cleanText } from './clean-text.ts'
import type { GithubSubject } from './read-event.ts'

/** Whether a trigger listens to this event, by what the event itself says. A sentence says why not. */
export function mismatchOf(
  config: GithubTriggerConfig,
  subject: GithubSubject,
  app: { id: string; slug: string },
): string | null {
  if (config.app !== null && config.app !== app.id && config.app !== app.slug)
    return `it listens to another App than ${app.slug}`
  if (config.event !== subject.event) return `it listens to ${config.event}`
  const actions = config.actions.length > 0 ? config.actions : GITHUB_USUAL_ACTIONS[config.event]
  if (actions.length > 0 && !actions.includes(subject.action ?? ''))
    return `it listens to ${actions.join(', ')} and this was ${subject.action ?? 'nothing of that'}`
  if (!subject.failed) return 'it did not end in failure'
  if (!fits(config.repositories, [subject.repository.fullName], true))
    return `the repository ${subject.repository.fullName} is not among its own`
  if (!fits(config.branches, [subject.branch]))
    return `the branch ${subject.branch ?? '(none)'} is not among its own`
  if (!fits(config.labels, subject.labels)) return 'it has none of the labels'
  if (!fits(config.actors, [subject.actors[0]?.login ?? null], true))
    return `${subject.actors[0]?.login} is not among its people`
  if (subject.paths !== null && !fits(config.paths, subject.paths)) return 'none of its paths changed'
  if (!isSpokenTo(config, subject, app.slug))
    return `the text does not begin with ${wanted(config, app.slug)}`
  return null
}

/** No pattern fits everything; names of people and repositories are the same in any case. */
function fits(patterns: string[], values: (string | null)[], anyCase = false): boolean {
  if (patterns.length === 0) return true
  const same = (text: string) => (anyCase ? text.toLowerCase() : text)
  return values.some(
    (value) => value !== null && patterns.some((pattern) => matchesGlob(same(pattern), same(value))),
  )
}

const wanted = (config: GithubTriggerConfig, slug: string) =>
  [config.command, config.mention ? `@${slug}` : null].filter((one) => one !== null).join(' or mention ')

function isSpokenTo(config: GithubTriggerConfig, subject: GithubSubject, slug: string): boolean {
  if (config.command === null && !config.mention) return true
  const lines = spokenLines(subject.spoken ?? '')
  const isCommand =
    config.command !== null && (lines[0] ?? '').trim().split(/\s/)[0]?.toLowerCase() === config.command
  return isCommand || (config.mention && lines.some((line) => mentions(line, slug)))
}

/** What the writer says, without quotes of others and code blocks. */
function spokenLines(text: string): string[] {
  const lines: string[] = []
  let isCode = false
  for (const line of cleanText(text).text.split('\n')) {
    const start = line.trimStart()
    if (start.startsWith('```') || start.startsWith('~~~')) isCode = !isCode
    else if (!isCode && !start.startsWith('>') && start !== '') lines.push(start)
  }
  return lines
}

function mentions(line: string, slug: string): boolean {
  const words = line.toLowerCase().split(/[^a-z0-9@[\]-]+/)
  const name = `@${slug.toLowerCase()}`
  return words.some((word) => word === name || word === `${name}[bot]`)
}
