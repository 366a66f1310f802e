import { createHash } from 'node:crypto'
import type { TriggerTargetRow } from '@baton/db'
import {
  type Cause,
  type EventId,
  type EventSource,
  type EventVerification,
  type FilterFinding,
  gitPushConfig,
  type IgnoredReason,
  matchesGlob,
  type TriggerFilter,
  webhookConfig,
} from '@baton/protocol'
import { whyNotGithub } from '../github/why-not-github.ts'
import { deliveryRules } from './delivery-rules.ts'
import { eventFacts } from './event-facts.ts'
import { filteredBecause, matchFilters } from './match-filters.ts'
import { type PlannedEvent, planDelivery } from './plan-delivery.ts'
import { parseTemplate, renderPrompt, type Template, type TemplateFacts } from './render-prompt.ts'
import { TRUST_OF_SOURCE } from './trust-of-source.ts'

/** A trigger with its job and agent; its template and filters parsed where that is worth remembering. */
export type TriggerTarget = TriggerTargetRow & { template?: Template; filters?: TriggerFilter[] }

export type Ignored = { reason: IgnoredReason; message: string | null }

/** Something that came for a trigger. `payload` is what `body` means. */
export type Arrival = {
  id: EventId
  source: EventSource
  payload: unknown
  body: Buffer
  contentType: string | null
  headers: Record<string, string>
  dedupKey: string
  bodyHash?: string
  verification?: EventVerification | null
  cause?: Cause | null
  /** Known already to start nothing: it is stored and says so. */
  ignored?: Ignored | null
  /** Besides what the job's rules ask for. */
  delayMs?: number
}

/** The event and its delivery as they are stored together, or the event with the reason why nothing comes of it. */
export function planEvent(target: TriggerTarget, arrival: Arrival): PlannedEvent {
  const facts = eventFacts(arrival, { key: target.job_key, name: target.job_name })
  const ignored =
    whyNotFired(target, arrival.source) ?? arrival.ignored ?? whyFiltered(target, facts, arrival).ignored
  const plan = {
    agentId: target.agent_id,
    machineId: target.machine_id,
    job: { id: target.job_id, key: target.job_key },
    workspace: target.job_workspace ?? target.agent_workspace,
    limits: target.limits,
    trust: TRUST_OF_SOURCE[arrival.source],
  }
  const rules = { ...target.rules, delayMs: target.rules.delayMs + (arrival.delayMs ?? 0) }
  const prompt = () => renderPrompt(target.template ?? parseTemplate(target.job_prompt), facts)
  return {
    id: arrival.id,
    organizationId: target.organization_id,
    jobId: target.job_id,
    triggerId: target.trigger_id,
    source: arrival.source,
    ignored: ignored?.reason ?? null,
    ignoredMessage: ignored?.message ?? null,
    verification: arrival.verification ?? null,
    cause: arrival.cause ?? null,
    dedupScope: target.trigger_id,
    dedupKey: arrival.dedupKey,
    bodyHash: arrival.bodyHash ?? createHash('sha256').update(arrival.body).digest('hex'),
    contentType: arrival.contentType,
    headers: arrival.headers,
    body: arrival.body,
    deliveries: ignored
      ? []
      : [
          planDelivery(
            plan,
            prompt(),
            deliveryRules({ jobId: target.job_id, agentId: target.agent_id }, rules, facts),
          ),
        ],
  }
}

/** Why nothing that comes for this trigger starts anything now; null when it may. */
export function whyNotFired(
  target: Pick<TriggerTargetRow, 'deleted' | 'disabled' | 'agent_archived' | 'trigger_paused' | 'job_key'>,
  source: EventSource,
): Ignored | null {
  if (target.deleted) return { reason: 'job_deleted', message: 'Its job was deleted.' }
  if (target.disabled)
    return {
      reason: 'job_disabled',
      message: `Its job "${target.job_key}" is off: baton job enable ${target.job_key}`,
    }
  if (target.agent_archived)
    return {
      reason: 'agent_archived',
      message: 'The agent of its job was archived: give the job another one.',
    }
  if (target.trigger_paused && source !== 'manual')
    return { reason: 'trigger_paused', message: 'This trigger is paused; resume it to let it fire again.' }
  return null
}

/** Whether what the trigger asks of an event holds for this one, and what each filter found. */
export function whyFiltered(
  target: Pick<TriggerTarget, 'kind' | 'scheme' | 'config' | 'filters'>,
  facts: TemplateFacts,
  event: { source: EventSource; headers: Record<string, string> },
): { ignored: Ignored | null; findings: FilterFinding[] } {
  if (target.kind === 'git_push') return { ignored: whyNotBranch(target, facts), findings: [] }
  if (target.kind === 'github') {
    const why = whyNotGithub(target.config, event.headers['x-github-event'] ?? '', facts.payload)
    return { ignored: why === null ? null : { reason: 'filtered', message: why }, findings: [] }
  }
  if (target.kind !== 'webhook') return { ignored: null, findings: [] }
  if (target.scheme === 'github' && event.headers['x-github-event'] === 'ping') {
    return {
      ignored: { reason: 'filtered', message: "GitHub's ping: the address and the secret are right." },
      findings: [],
    }
  }
  const findings = matchFilters(target.filters ?? webhookConfig.parse(target.config).filters, facts)
  const message = filteredBecause(findings)
  return { ignored: message === null ? null : { reason: 'filtered', message }, findings }
}

function whyNotBranch(target: Pick<TriggerTargetRow, 'config'>, facts: TemplateFacts): Ignored | null {
  const branch = String(Reflect.get(Object(facts.push), 'branch') ?? '')
  const { branches } = gitPushConfig.parse(target.config)
  if (branches.some((glob) => matchesGlob(glob, branch))) return null
  return {
    reason: 'filtered',
    message: `The branch "${branch}" fits none of ${branches.map((glob) => `"${glob}"`).join(', ')}.`,
  }
}
