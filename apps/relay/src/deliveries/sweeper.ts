import { listJustOffline, sweepApprovals, sweepDeliveries } from '@baton/db'
import { ACCEPT_WITHIN_MS, SWEEP_EVERY_MS } from '@baton/protocol'
import { createPollLoop, type Service } from '@baton/service'
import type { RelayParts } from '../api/context.ts'

/** Rows of one pass; more are taken by the next one at once. */
const ROWS = 500

/** Every second: moves on leases that ended. Any number of relays sweep at the same time, each row moves once. */
export function createSweeper(
  parts: Pick<RelayParts, 'connection' | 'sessions' | 'hints' | 'changes' | 'metrics' | 'log'>,
): Service {
  async function sweep(signal: AbortSignal) {
    for (;;) {
      const swept = await sweepDeliveries(parts.connection.db, {
        acceptWithinMs: ACCEPT_WITHIN_MS,
        limit: ROWS,
      })
      for (const { id, organizationId, machineId, runId, moved } of swept) {
        if (moved === 'stopped') parts.hints.send('cancel', machineId)
        else if (moved !== 'stalled') {
          parts.sessions.get(machineId)?.free([id])
          parts.hints.send('machine', machineId)
          parts.hints.send('run', runId)
        }
        parts.metrics.countMoved(moved)
        parts.changes.tell(organizationId, 'delivery', id)
        parts.log.info({ delivery: id, machine: machineId, moved }, 'a delivery was moved on')
      }
      if (swept.length < ROWS || signal.aborted) break
    }
    for (const { id, organizationId, machineId, runId, moved } of await sweepApprovals(
      parts.connection.db,
      ROWS,
    )) {
      if (moved === 'expired') parts.hints.send('control', machineId)
      parts.changes.tell(organizationId, 'approval', id)
      parts.changes.tell(organizationId, 'run', runId)
      parts.log.info({ approval: id, run: runId, moved }, 'an approval was closed')
    }
    for (const machine of await listJustOffline(parts.connection.db, 2 * SWEEP_EVERY_MS)) {
      parts.changes.tell(machine.organizationId, 'machine', machine.id)
    }
  }
  return createPollLoop({
    everyMs: SWEEP_EVERY_MS,
    jitter: 0.1,
    run: sweep,
    onError: (error) => parts.log.warn({ error }, 'a sweep failed; the next one is in a second'),
  })
}
