import { randomBytes } from 'node:crypto'
import { renderPrompt, type Template, type TemplateFacts } from '../jobs/render-prompt.ts'
import { fencedData, fencedPayload } from './fence-data.ts'
import { type GithubSubject, readEvent } from './read-event.ts'

/**
 * A job's prompt for an event of GitHub: what the event fills in stands between marks, and after the prompt comes the event
 * as a block of data. `subject` is what is known of the event beyond its payload.
 */
export function renderGithubPrompt(
  template: Template,
  facts: TemplateFacts,
  event: { name: string; subject?: GithubSubject },
): string {
  const fence = randomBytes(12).toString('hex')
  const prompt = renderPrompt(template, { ...facts, payload: fencedPayload(facts.payload, fence) })
  const subject = event.subject ?? readEvent(event.name, facts.payload)
  return subject ? `${prompt}\n\n${fencedData(subject, fence)}` : prompt
}
