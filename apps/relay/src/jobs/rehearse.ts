import {
  type AgentId,
  type DraftRehearsalView,
  type EventSource,
  type JobId,
  PROMPT_BYTES,
  type RunRules,
} from '@baton/protocol'
import { renderGithubPrompt } from '../github/render-github-prompt.ts'
import { deliveryRules } from './delivery-rules.ts'
import { eventFacts } from './event-facts.ts'
import { type Ignored, type TriggerTarget, whyFiltered } from './plan-event.ts'
import { listMissing, parseTemplate, renderPrompt } from './render-prompt.ts'

export type RehearsedJob = {
  id: JobId
  key: string
  name: string
  agentId: AgentId
  prompt: string
  rules: RunRules
}
export type RehearsedEvent = {
  id: string
  source: EventSource
  headers: Record<string, string>
  payload: unknown
}

/**
 * What a job would make of an event: its prompt, its key, and what its trigger's filters say. The job need not be saved.
 * Throws `bad_input` for a template that no job could be saved with.
 */
export function rehearse(
  job: RehearsedJob,
  target: Pick<TriggerTarget, 'kind' | 'scheme' | 'config'> | null,
  event: RehearsedEvent,
): Pick<DraftRehearsalView, 'filters' | 'prompt' | 'promptCut' | 'missing' | 'key'> & {
  ignored: Ignored | null
} {
  const facts = eventFacts(event, job)
  const { ignored, findings } = target ? whyFiltered(target, facts, event) : { ignored: null, findings: [] }
  const template = parseTemplate(job.prompt)
  const filled =
    event.source === 'github'
      ? renderGithubPrompt(template, facts, { name: event.headers['x-github-event'] ?? '' })
      : renderPrompt(template, facts)
  const rules = deliveryRules({ jobId: job.id, agentId: job.agentId }, job.rules, facts)
  const keys = [job.rules.concurrency?.key, job.rules.conversation].filter((key) => typeof key === 'string')
  const missing = [template, ...keys.map((key) => parseTemplate(key))].flatMap((one) =>
    listMissing(one, facts),
  )
  return {
    ignored,
    filters: findings,
    prompt: filled.slice(0, PROMPT_BYTES),
    promptCut: Buffer.byteLength(filled) > PROMPT_BYTES,
    missing: [...new Set(missing)],
    key: rules?.concurrencyKey ?? rules?.overlapKey ?? null,
  }
}
