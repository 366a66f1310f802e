import { type Db, findGithubVerdicts } from '@baton/db'
import type { Condition, EventDetail, OrganizationId, TriggerView, WhyView } from '@baton/protocol'

/** Why an event started nothing, or nothing yet. For one that started a run, ask about the run. */
export async function explainEvent(
  db: Db,
  organizationId: OrganizationId,
  event: EventDetail,
): Promise<WhyView> {
  if (event.state !== 'accepted') return explainIgnored(event)
  const waits = await findGithubVerdicts(db, organizationId, event.id)
  const what = waits?.lastError
    ? `Nothing is decided about it yet: ${waits.lastError}`
    : 'It is decided in a moment.'
  const unblock = waits?.nextAt
    ? `It is looked at again at ${new Date(waits.nextAt).toISOString().slice(0, 19).replace('T', ' ')} UTC.`
    : 'Wait a moment.'
  return {
    id: event.id,
    sentence: what,
    conditions: [{ code: 'not_decided', what, since: event.receivedAt, unblock, command: null }],
  }
}

function explainIgnored(event: EventDetail): WhyView {
  const what = event.reasonMessage ?? `It was ignored (${event.reason ?? 'nothing came of it'}).`
  const unblock = 'Fire its job with it all the same.'
  const command = event.job ? `baton event replay ${event.id}` : null
  const code = event.reason ?? 'no_job'
  return {
    id: event.id,
    sentence: what,
    conditions: [{ code, what, since: event.receivedAt, unblock, command }],
  }
}

/** What keeps a trigger from firing. */
export function triggerConditions(trigger: TriggerView): Condition[] {
  if (trigger.paused) {
    const command = `baton job trigger resume ${trigger.id}`
    const what = `Its trigger of the kind ${trigger.kind} is paused.`
    return [{ code: 'trigger_paused', what, since: null, unblock: 'Resume it.', command }]
  }
  if (trigger.kind !== 'file_change' || !trigger.watch?.message || trigger.watch.state === 'polling')
    return []
  const { message: what, at: since } = trigger.watch
  const unblock = 'Mend it on that machine; it is tried again every half minute.'
  return [{ code: 'watch', what, since, unblock, command: null }]
}
