import type { NewEvent } from '@baton/db'
import { type RunLimits, toId } from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import type { BenchMachine } from './bench-relay.ts'

const LIMITS: RunLimits = { silenceMs: 60_000, wallMs: null, maxAttempts: 3, repeatable: false }

/** A small event with one delivery for this machine, not stored yet. */
export function newBenchEvent(organizationId: NewEvent['organizationId'], machine: BenchMachine): NewEvent {
  const id = toId('event', uuidv7())
  const deliveryId = toId('delivery', uuidv7())
  return {
    id,
    organizationId,
    jobId: null,
    triggerId: null,
    source: 'manual',
    ignored: null,
    dedupScope: 'bench',
    dedupKey: id,
    bodyHash: id,
    contentType: 'application/json',
    headers: {},
    body: Buffer.from('{}'),
    deliveries: [
      {
        id: deliveryId,
        runId: toId('run', uuidv7()),
        agentId: machine.agentId,
        machineId: machine.id,
        jobId: null,
        prompt: 'Do nothing.',
        workspace: 'scratch',
        lane: null,
        rules: null,
        limits: LIMITS,
        trust: 'member',
        leaseEpoch: null,
      },
    ],
  }
}
