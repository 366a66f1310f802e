import { LEASE_MS } from '@baton/protocol'
import { makePlace, refOf } from '@baton/testkit'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { useRulesPlace } from '../../test/support/use-rules-place.ts'
import {
  acceptDeliveries,
  type DeliveryRules,
  giveUpDelivery,
  moveDelivery,
  requestCancel,
} from '../index.ts'
import { ofMachine } from './of-machine.ts'

const { database, place, lease, make, sweep, row, past, run, finish } = useRulesPlace()

async function stall(only: Partial<DeliveryRules> = {}) {
  const made = await make(only)
  const [ref] = await run()
  if (!ref) throw new Error('nothing ran')
  await past('lease_expires_at', made.id)
  expect(await sweep()).toMatchObject([{ id: made.id, moved: 'stalled' }])
  return ref
}

test('a run whose machine stays away longer than its job waits has failed, and its late report is kept on it', async () => {
  const ref = await stall({ stallMs: 60_000 })
  await past('state_since', ref.deliveryId)
  expect(await sweep()).toMatchObject([{ moved: 'gave_up' }])
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'failed', reason: 'stall_limit' })
  const late = await finish(ref)
  expect(late).toBe('superseded')
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'failed' })
})

test('a person can give a stalled run to another machine; what the first one reports changes nothing else', async () => {
  const ref = await stall()
  const other = await makePlace(database.db)
  const to = { agentId: other.agentId, machineId: other.machineId, workspace: null, lane: other.agentId }
  expect(await moveDelivery(database.db, place.organizationId, ref.deliveryId, to)).not.toBeNull()
  const [again] = await run(1, other)
  expect(again?.fence).toBeGreaterThan(ref.fence)
  expect(again?.runId).not.toBe(ref.runId)
  const late = await finish(ref)
  expect(late).toBe('superseded')
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'running', run_id: again?.runId })
})

test('a person can give a stalled run up, and only a stalled one', async () => {
  const ref = await stall()
  expect(await giveUpDelivery(database.db, place.organizationId, ref.deliveryId)).toBe(true)
  expect(await giveUpDelivery(database.db, place.organizationId, ref.deliveryId)).toBe(false)
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'failed', reason: 'given_up' })
})

test('a stalled run that was to be stopped is cancelled when a person gives it up', async () => {
  const ref = await stall()
  await requestCancel(database.db, place.organizationId, ref.deliveryId, 'enough')
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'stalled' })
  expect(await giveUpDelivery(database.db, place.organizationId, ref.deliveryId)).toBe(true)
  expect(await row(ref.deliveryId)).toMatchObject({ state: 'cancelled', reason: 'given_up' })
})

test('what was accepted and lapsed is leased anew only when its machine was heard of since', async () => {
  const made = await make({})
  const refs = (await lease()).map(refOf)
  await acceptDeliveries(database.db, ofMachine(place.machineId, refs), LEASE_MS)
  const heardOf = (at: string) =>
    sql`update machines set last_heartbeat_at = now() + ${at}::text::interval where id = ${place.machineId}`.execute(
      database.db,
    )
  await heardOf('-20 s')
  await past('lease_expires_at', made.id)
  expect(await sweep()).toMatchObject([{ id: made.id, moved: 'lapsed' }])
  expect(await lease()).toEqual([])
  await heardOf('0 s')
  await sql`update deliveries set state_since = now() - interval '10 s' where id = ${made.id}`.execute(
    database.db,
  )
  expect(await lease(), 'it may be about to say that it holds it').toEqual([])
  await heardOf('-2 s')
  expect(await lease()).toHaveLength(1)
})
