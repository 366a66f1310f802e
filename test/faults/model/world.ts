import { type Db, type InsertedEvent, sql } from '@baton/db'
import {
  type AgentId,
  type DeliveryId,
  type DeliveryState,
  LEASE_MS,
  type LeaseRef,
  type MachineId,
  type OrganizationId,
  type RunId,
  type RunState,
} from '@baton/protocol'
import { transcriptStart } from '@baton/protocol/transcript-hash'
import { makePlace, newTestId } from '@baton/testkit'
import type { Statements } from './statements.ts'

export type DeliveryRow = {
  id: DeliveryId
  event_id: string
  agent_id: AgentId
  state: DeliveryState
  run_id: RunId
  attempt: number
  max_attempts: number
  repeatable: boolean
  fence: number
  lane: string | null
  concurrency_key: string | null
  concurrency_limit: number | null
  overlap: string
  overlap_key: string | null
  accepted_at: string | null
  finish_key: string | null
  cancel_requested_at: string | null
  finished_at: string | null
}
export type RunRow = {
  id: RunId
  delivery_id: DeliveryId
  state: RunState
  attempt: number
  fence: number
  last_seq: number
  last_hash: string
  final_seq: number | null
  finish_key: string | null
  started_at: string | null
  finished_at: string | null
  events: number
  highest: number
}
export type EventRow = { id: string; key: string; state: string; reason: string | null }
export type Snapshot = {
  deliveries: Map<DeliveryId, DeliveryRow>
  runs: Map<RunId, RunRow>
  events: EventRow[]
}

/** What one runner has from the relay, and what it wrote under it. Kept for ever: old leases are tried again. */
export type Held = {
  lease: LeaseRef
  finishKey: string
  seq: number
  hash: string
  /** What the relay answered to each finish key. */
  answers: Map<string, string>
}

/** A real database and everything that a model run knows about it from outside. */
export type World = {
  db: Db
  statements: Statements
  organizationId: OrganizationId
  machineId: MachineId
  agents: { id: AgentId; maxConcurrent: number }[]
  epoch: number
  held: Held[]
  /** The first answer for each key. */
  keys: Map<string, InsertedEvent>
  snapshot: Snapshot
  /** How often each step changed something, for the report at the end. */
  seen: Map<string, number>
}

export const MAX_ATTEMPTS = 2

/** An organization of its own with one machine and two agents: one at a time, and two at a time. */
export async function makeWorld(db: Db, statements: Statements, seen: Map<string, number>): Promise<World> {
  // A sweep sees the whole database: what earlier runs left there is not this one's.
  await sql`truncate run_events, runs, deliveries, events cascade`.execute(db)
  const place = await makePlace(db, { maxConcurrent: 1 })
  const second = newTestId('agent')
  await sql`insert into agents (id, organization_id, machine_id, key, name, runtime, command, max_concurrent)
    values (${second}, ${place.organizationId}, ${place.machineId}, 'other', 'Other', 'command', 'demo', 2)`.execute(
    db,
  )
  await sql`update machines set instance_id = 'install1.1' where id = ${place.machineId}`.execute(db)
  const snapshot: Snapshot = { deliveries: new Map(), runs: new Map(), events: [] }
  return {
    db,
    statements,
    organizationId: place.organizationId,
    machineId: place.machineId,
    agents: [
      { id: place.agentId, maxConcurrent: 1 },
      { id: second, maxConcurrent: 2 },
    ],
    epoch: place.sessionEpoch,
    held: [],
    keys: new Map(),
    snapshot,
    seen,
  }
}

/** Everything that the invariants look at, in one statement and so at one instant. */
export async function readSnapshot({ db, organizationId }: World): Promise<Snapshot> {
  const { rows } = await sql<{ deliveries: DeliveryRow[]; runs: RunRow[]; events: EventRow[] }>`
    select
      coalesce((select json_agg(json_build_object('id', id, 'event_id', event_id, 'agent_id', agent_id, 'state', state,
        'run_id', run_id, 'attempt', attempt, 'max_attempts', max_attempts, 'repeatable', repeatable, 'fence', fence,
        'lane', lane, 'concurrency_key', concurrency_key, 'concurrency_limit', concurrency_limit, 'overlap', overlap, 'overlap_key', overlap_key, 'accepted_at', accepted_at, 'finish_key', finish_key,
        'cancel_requested_at', cancel_requested_at, 'finished_at', finished_at))
        from deliveries where organization_id = ${organizationId}), '[]') as deliveries,
      coalesce((select json_agg(json_build_object('id', id, 'delivery_id', delivery_id, 'state', state,
        'attempt', attempt, 'fence', fence, 'last_seq', last_seq, 'last_hash', last_hash, 'final_seq', final_seq,
        'finish_key', finish_key, 'started_at', started_at, 'finished_at', finished_at,
        'events', (select count(*) from run_events e where e.run_id = r.id),
        'highest', coalesce((select max(seq) from run_events e where e.run_id = r.id), 0)))
        from runs r where organization_id = ${organizationId}), '[]') as runs,
      coalesce((select json_agg(json_build_object('id', id, 'key', dedup_key, 'state', state, 'reason', reason)) from events where organization_id = ${organizationId}), '[]') as events`.execute(
    db,
  )
  const row = rows[0]
  if (!row) throw new Error('The snapshot has no row.')
  return {
    deliveries: new Map(row.deliveries.map((delivery) => [delivery.id, delivery])),
    runs: new Map(row.runs.map((run) => [run.id, run])),
    events: row.events,
  }
}

export function toHeld(lease: LeaseRef): Held {
  return {
    lease,
    finishKey: `finish-${lease.runId}`,
    seq: 0,
    hash: transcriptStart(lease.runId),
    answers: new Map(),
  }
}

export { LEASE_MS }
