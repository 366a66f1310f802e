import type { OutputMoment, OutputText } from '@baton/protocol'
import { parseTemplate, renderPrompt } from '../jobs/render-prompt.ts'
import { readJson } from './check-result.ts'
import type { Message } from './output-sender.ts'
import type { RunFacts } from './run-facts.ts'
import { OUTPUT_NAMES } from './template-names.ts'

/** Renders what an output says: its own templates, or a plain account of the run. */
export function writeMessage(
  text: OutputText,
  facts: RunFacts,
  moment: OutputMoment | null,
): Message | { problem: string } {
  const headline = headlineOf(facts, moment)
  const subject = oneLine(text.subject === null ? headline : render(text.subject, facts))
  const body = text.body === null ? defaultBody(text.format, headline, facts) : render(text.body, facts)
  if (text.format === 'json' && text.body !== null && readJsonStrictly(body) === undefined) {
    return {
      problem: 'The body is not JSON after its template was filled in. Write values as {{ name | json }}.',
    }
  }
  return { subject, body, format: text.format }
}

const render = (source: string, facts: RunFacts) => renderPrompt(parseTemplate(source, OUTPUT_NAMES), facts)

/** What is filled into one line must not begin another. */
export const oneLine = (text: string) =>
  text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, 500)

const WORDS: Record<string, string> = {
  done: 'is done',
  warning: 'is done, with something to look at',
  failed: 'failed',
  stopped: 'was stopped',
  lost: 'was lost',
}

function headlineOf(facts: RunFacts, moment: OutputMoment | null): string {
  const name = facts.job.name || facts.job.key || 'A run'
  if (moment === 'accepted') return `${name}: ${facts.machine.name} has taken it on`
  if (moment === 'started') return `${name}: ${facts.agent.name} has started on ${facts.machine.name}`
  return `${name} ${WORDS[facts.run.status] ?? facts.run.status}`
}

function defaultBody(format: OutputText['format'], headline: string, facts: RunFacts): string {
  if (format === 'json') return JSON.stringify(toJsonBody(facts), null, 2)
  const what = [facts.run.error, facts.run.result].filter((part) => part !== '').join('\n\n')
  return format === 'markdown'
    ? [`**${headline}**`, what, `[Open the run](${facts.run.url})`].filter(Boolean).join('\n\n')
    : [headline, what, facts.run.url].filter(Boolean).join('\n\n')
}

/** The facts of a run as JSON, its result as a value when it is JSON itself. */
export function toJsonBody(all: RunFacts): object {
  const { payload: _, ...facts } = all
  return { ...facts, run: { ...facts.run, result: readJson(facts.run.result) ?? facts.run.result } }
}

function readJsonStrictly(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
