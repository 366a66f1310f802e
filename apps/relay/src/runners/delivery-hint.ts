import type { AgentId, DeliveryId, MachineId } from '@baton/protocol'
import type { PlannedDelivery } from '../jobs/plan-delivery.ts'
import type { Hint } from '../live/hints.ts'
import type { RoomFacts } from './session-room.ts'

/** A hint is one of many in a NOTIFY of 8,000 bytes. */
const MAX_LENGTH = 1_000

/** That a delivery waits for its machine: with all that its session needs for leasing it by its id, if it has no rules. */
export function deliveryHint({ id, machineId, agentId, lane, rules }: PlannedDelivery): Hint {
  const key = `${machineId} ${id} ${agentId} ${lane === null ? '' : encodeURIComponent(lane.toWellFormed())}`
  return rules === null && key.length <= MAX_LENGTH
    ? { kind: 'delivery', key }
    : { kind: 'machine', key: machineId }
}

export function readDeliveryHint(key: string): RoomFacts & { machineId: MachineId } {
  const [machineId = '', id = '', agentId = '', lane = ''] = key.split(' ')
  return {
    machineId: machineId as MachineId,
    id: id as DeliveryId,
    agentId: agentId as AgentId,
    lane: lane === '' ? null : decodeURIComponent(lane),
  }
}
