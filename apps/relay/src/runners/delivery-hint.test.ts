import type { AgentId, DeliveryId, MachineId } from '@baton/protocol'
import { expect, test } from 'vitest'
import type { PlannedDelivery } from '../jobs/plan-delivery.ts'
import { deliveryHint, readDeliveryHint } from './delivery-hint.ts'

const facts = { id: 'dlv_1' as DeliveryId, agentId: 'agt_1' as AgentId, machineId: 'mch_1' as MachineId }
const planned = (only: Partial<PlannedDelivery>) =>
  ({ ...facts, lane: null, rules: null, ...only }) as PlannedDelivery

test.each([null, '/a folder/with\nlines and ünïcode 🚀', 'agt_1'])(
  'the lane %j arrives as it was',
  (lane) => {
    const { kind, key } = deliveryHint(planned({ lane }))
    expect(kind).toBe('delivery')
    expect(key).not.toContain('\n')
    expect(readDeliveryHint(key)).toEqual({ ...facts, lane })
  },
)

test('what has rules, or a name too long for a hint, is told as work of its machine', () => {
  const rules = {} as PlannedDelivery['rules']
  expect(deliveryHint(planned({ rules }))).toEqual({ kind: 'machine', key: 'mch_1' })
  expect(deliveryHint(planned({ lane: `/${'x'.repeat(2_000)}` }))).toEqual({ kind: 'machine', key: 'mch_1' })
})
