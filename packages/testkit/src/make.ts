import { randomUUID } from 'node:crypto'
import type { Db, InsertedEvent, NewDelivery, NewEvent } from '@baton/db'
import { insertEvents } from '@baton/db'
import {
  type AgentId,
  type Budget,
  DEFAULT_RULES,
  type DeliveryId,
  type Id,
  type IdKind,
  type JobId,
  LEASE_MS,
  type MachineId,
  type OrganizationId,
  type RunId,
  type RunLimits,
  type RunRules,
  toId,
} from '@baton/protocol'

export const newTestId = <K extends IdKind>(kind: K): Id<K> => toId(kind, randomUUID())

export const LIMITS: RunLimits = { silenceMs: 60_000, wallMs: null, maxAttempts: 3, repeatable: false }

export type Place = {
  organizationId: OrganizationId
  machineId: MachineId
  agentId: AgentId
  sessionEpoch: number
}

/** An organization with one machine whose session is open, and one agent on it. */
export async function makePlace(db: Db, options: { maxConcurrent?: number } = {}): Promise<Place> {
  const organizationId = newTestId('organization')
  const machineId = newTestId('machine')
  const agentId = newTestId('agent')
  await db
    .insertInto('organizations')
    .values({ id: organizationId, slug: organizationId, name: 'Test' })
    .execute()
  await db
    .insertInto('machines')
    .values({
      id: machineId,
      organization_id: organizationId,
      name: 'laptop',
      key_hash: machineId,
      session_epoch: 1,
    })
    .execute()
  await db
    .insertInto('agents')
    .values({
      id: agentId,
      organization_id: organizationId,
      machine_id: machineId,
      key: 'demo',
      name: 'Demo',
      runtime: 'command',
      command: 'demo',
      max_concurrent: options.maxConcurrent ?? 100,
    })
    .execute()
  return { organizationId, machineId, agentId, sessionEpoch: 1 }
}

export function newEvent(
  place: Place,
  only: Partial<NewEvent> & { delivery?: Partial<NewDelivery> } = {},
): NewEvent {
  const { delivery, ...event } = only
  const id = newTestId('event')
  const deliveryId: DeliveryId = newTestId('delivery')
  const runId: RunId = newTestId('run')
  return {
    id,
    organizationId: place.organizationId,
    jobId: null,
    triggerId: null,
    source: 'webhook',
    ignored: null,
    dedupScope: 'test',
    dedupKey: id,
    bodyHash: 'hash',
    contentType: 'application/json',
    headers: {},
    body: Buffer.from('{}'),
    deliveries: [
      {
        id: deliveryId,
        runId,
        agentId: place.agentId,
        machineId: place.machineId,
        jobId: null,
        prompt: 'do it',
        workspace: null,
        lane: null,
        limits: LIMITS,
        trust: 'member',
        rules: null,
        leaseEpoch: null,
        ...delivery,
      },
    ],
    ...event,
  }
}

/** One stored event with one delivery. */
export async function makeDelivery(db: Db, place: Place, only: Parameters<typeof newEvent>[1] = {}) {
  const [event] = (await insertEvents(db, [newEvent(place, only)], LEASE_MS)) as [InsertedEvent]
  const delivery = event.deliveries[0]
  if (!delivery) throw new Error('The event was stored without its delivery.')
  return { eventId: event.eventId, ...delivery }
}

/** A job of the agent of a place, without triggers, with these rules and this budget. */
export async function makeJob(
  db: Db,
  place: Place,
  only: { rules?: RunRules; budget?: Budget | null } = {},
): Promise<JobId> {
  const id = newTestId('job')
  await db
    .insertInto('jobs')
    .values({
      id,
      organization_id: place.organizationId,
      agent_id: place.agentId,
      key: id,
      name: id,
      prompt: 'x',
      limits: LIMITS,
      rules: DEFAULT_RULES,
      ...only,
    })
    .execute()
  return id
}
