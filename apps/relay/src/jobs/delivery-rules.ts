import type { DeliveryRules } from '@baton/db'
import type { AgentId, JobId, RunRules } from '@baton/protocol'
import { parseTemplate, renderPrompt, type TemplateFacts } from './render-prompt.ts'

/**
 * A job's rules for one delivery, its keys filled in from the event; null when nothing but the hourly limit (which the
 * lease statement reads from the job) is out of the ordinary.
 */
export function deliveryRules(
  { jobId, agentId }: { jobId: JobId | null; agentId: AgentId },
  rules: RunRules,
  facts: TemplateFacts,
  given: string | null = null,
): DeliveryRules | null {
  const fillIn = (template: string) => renderPrompt(parseTemplate(template), facts).slice(0, 500)
  const conversation = given ?? (rules.conversation ? fillIn(rules.conversation).trim() || null : null)
  const filledIn = rules.concurrency ? fillIn(rules.concurrency.key) : conversation
  const key = `${jobId ?? 'manual'}:${filledIn ?? ''}`
  const isPlain =
    rules.priority === 0 &&
    rules.delayMs === 0 &&
    rules.ttlMs === null &&
    rules.stallMs === null &&
    rules.perHour === null &&
    rules.concurrency === null &&
    conversation === null &&
    !rules.trust &&
    !rules.publicMode &&
    rules.overlap === 'queue'
  if (isPlain) return null
  return {
    priority: rules.priority,
    delayMs: rules.delayMs,
    ttlMs: rules.ttlMs,
    stallMs: rules.stallMs,
    concurrencyKey: rules.concurrency ? key : conversation && conversationKey(agentId, conversation),
    concurrencyLimit: rules.concurrency?.limit ?? (conversation ? 1 : null),
    overlap: rules.overlap,
    overlapKey: rules.overlap === 'queue' ? null : key,
    conversation,
  }
}

/** An agent goes on with one conversation in one run at a time. */
const conversationKey = (agentId: AgentId, conversation: string) => `conversation:${agentId}:${conversation}`
