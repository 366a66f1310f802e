import type { DeliveryRules } from '@baton/db'
import type { JobId, RunRules } from '@baton/protocol'
import { parseTemplate, renderPrompt, type TemplateFacts } from './render-prompt.ts'

/**
 * A job's rules for one delivery, its keys filled in from the event; null when nothing but the hourly limit (which the
 * lease statement reads from the job) is out of the ordinary.
 */
export function deliveryRules(
  jobId: JobId | null,
  rules: RunRules,
  facts: TemplateFacts,
): DeliveryRules | null {
  const filledIn = rules.concurrency
    ? renderPrompt(parseTemplate(rules.concurrency.key), facts).slice(0, 500)
    : null
  const key = `${jobId ?? 'manual'}:${filledIn ?? ''}`
  const isPlain =
    rules.priority === 0 &&
    rules.delayMs === 0 &&
    rules.ttlMs === null &&
    rules.stallMs === null &&
    rules.perHour === null &&
    rules.concurrency === null &&
    rules.overlap === 'queue'
  if (isPlain) return null
  return {
    priority: rules.priority,
    delayMs: rules.delayMs,
    ttlMs: rules.ttlMs,
    stallMs: rules.stallMs,
    concurrencyKey: rules.concurrency ? key : null,
    concurrencyLimit: rules.concurrency?.limit ?? null,
    overlap: rules.overlap,
    overlapKey: rules.overlap === 'queue' ? null : key,
  }
}
