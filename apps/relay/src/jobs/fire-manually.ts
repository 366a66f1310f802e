import type { DeliveryRules } from '@baton/db'
import type {
  AgentView,
  Cause,
  DeliveryId,
  EventId,
  OrganizationId,
  RunId,
  RunLimits,
  Trust,
} from '@baton/protocol'
import { BatonError, toId } from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import type { Intake } from '../inbox/intake.ts'
import { assertSame, hashOfRequest, manualScope } from './fired-before.ts'
import { planDelivery } from './plan-delivery.ts'
import type { Ignored } from './plan-event.ts'

export type Fired = { eventId: EventId; deliveryId: DeliveryId; runId: RunId }

/**
 * Stores a manual event with one delivery. The same idempotency key of the same caller again gets the first answer, and
 * another request under it is a conflict.
 */
export async function fireManually(
  intake: Intake,
  caller: { organizationId: OrganizationId; userId: string },
  work: {
    eventId?: EventId
    job: { id: `job_${string}`; key: string } | null
    agent: AgentView
    prompt: string
    workspace: string | null
    limits: RunLimits
    rules: DeliveryRules | null
    /** `public` when it repeats what came from outside. */
    trust?: Trust
    payload: unknown
    cause?: Cause | null
    /** It is stored and starts nothing, and the caller hears why. */
    ignored?: Ignored | null
    /** All that the caller said but the key: what must be the same for the key to be the same request. */
    request: object
    idempotencyKey: string | undefined
  },
): Promise<Fired> {
  const body = Buffer.from(JSON.stringify(work.payload ?? null))
  const plan = {
    agentId: work.agent.id,
    machineId: work.agent.machine.id,
    job: work.job,
    workspace: work.workspace,
    limits: work.limits,
    trust: work.trust ?? ('member' as const),
  }
  const id = work.eventId ?? toId('event', uuidv7())
  const bodyHash = hashOfRequest(work.request)
  const answer = await intake.accept({
    id,
    organizationId: caller.organizationId,
    jobId: work.job?.id ?? null,
    triggerId: null,
    source: 'manual',
    ignored: work.ignored?.reason ?? null,
    ignoredMessage: work.ignored?.message ?? null,
    cause: work.cause ?? null,
    dedupScope: manualScope(caller.organizationId),
    dedupKey: work.idempotencyKey ?? id,
    bodyHash,
    contentType: 'application/json',
    headers: {},
    body,
    deliveries: work.ignored ? [] : [planDelivery(plan, work.prompt, work.rules)],
  })
  assertSame(answer.bodyHash, bodyHash)
  if (work.ignored) throw new BatonError('conflict', work.ignored.message ?? 'It would be a loop.')
  const delivery = answer.deliveries[0]
  if (!delivery) {
    throw new BatonError(
      'conflict',
      'An earlier run of this job is not finished, and its overlap rule is to skip. The event was kept and says so.',
    )
  }
  return { eventId: answer.eventId, deliveryId: delivery.id, runId: delivery.runId }
}
