import type { ClaimedGithubEvent, NewGithubContext } from '@baton/db'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { eventFacts } from '../jobs/event-facts.ts'
import { type PlannedDelivery, type PlannedEvent, planDelivery } from '../jobs/plan-delivery.ts'
import { parseTemplate } from '../jobs/render-prompt.ts'
import { TRUST_OF_SOURCE } from '../jobs/trust-of-source.ts'
import { cleanValue } from './clean-text.ts'
import type { Firing } from './decide-triggers.ts'
import type { KnownApp } from './known-apps.ts'
import { textHash } from './read-event.ts'
import { renderGithubPrompt } from './render-github-prompt.ts'

/** The stored event with a delivery for each trigger that it fires, and what each is to GitHub. */
export function planFirings(
  event: ClaimedGithubEvent,
  app: KnownApp,
  payload: unknown,
  firings: Firing[],
): { event: PlannedEvent; contexts: NewGithubContext[] } {
  const planned = firings.map((firing) => ({ firing, delivery: planFiring(event, payload, firing) }))
  const [first] = firings
  return {
    event: {
      id: event.event_id,
      organizationId: event.organization_id,
      jobId: first?.trigger.job_id ?? null,
      triggerId: first?.trigger.trigger_id ?? null,
      source: 'github',
      ignored: null,
      dedupScope: event.dedup_scope,
      dedupKey: event.dedup_key,
      bodyHash: event.body_hash,
      contentType: event.content_type,
      headers: event.headers,
      // What a push from memory hands over; the stored body is cleaned where it is pushed from.
      body: Buffer.from(JSON.stringify(cleanValue(payload))),
      stored: true,
      deliveries: planned.map(({ delivery }) => delivery),
    },
    contexts: planned.map(({ firing, delivery }) => toContext(event, app, firing, delivery)),
  }
}

function planFiring(
  event: ClaimedGithubEvent,
  payload: unknown,
  { trigger, subject }: Firing,
): PlannedDelivery {
  const facts = eventFacts(
    { id: event.event_id, source: 'github', headers: event.headers, payload: cleanValue(payload) },
    { key: trigger.job_key, name: trigger.job_name },
  )
  const prompt = renderGithubPrompt(
    parseTemplate(trigger.job_prompt),
    { ...facts, payload },
    { name: event.name, subject },
  )
  return planDelivery(
    {
      agentId: trigger.agent_id,
      machineId: trigger.machine_id,
      job: { id: trigger.job_id, key: trigger.job_key },
      workspace: trigger.job_workspace ?? trigger.agent_workspace,
      limits: trigger.limits,
      trust: TRUST_OF_SOURCE.github,
    },
    prompt,
    deliveryRules({ jobId: trigger.job_id, agentId: trigger.agent_id }, trigger.rules, facts),
  )
}

function toContext(
  event: ClaimedGithubEvent,
  app: KnownApp,
  { trigger, config, subject }: Firing,
  delivery: PlannedDelivery,
): NewGithubContext {
  return {
    deliveryId: delivery.id,
    organizationId: event.organization_id,
    githubAppId: app.id,
    triggerId: trigger.trigger_id,
    installationId: subject.installationId,
    repositoryId: subject.repository.id,
    repository: subject.repository.fullName,
    number: subject.number,
    commentId: subject.comment?.id ?? null,
    commentKind: subject.comment?.kind ?? null,
    headSha: subject.headSha,
    baseBranch: subject.baseBranch ?? subject.repository.defaultBranch,
    textHash: textHash(subject.texts),
    actor: subject.actors[0]?.login ?? '',
    feedback: config.feedback,
  }
}
