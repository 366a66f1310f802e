import { LEASE_MS, type SettleReport } from '@baton/protocol'
import {
  acceptOne,
  deliveryRow,
  lapse,
  leaseOne,
  leaseSome,
  makeDelivery,
  makePlace,
  reportOf,
  runRow,
  settleReports,
  startOne,
  usePlace,
  useTestDatabase,
} from '@baton/testkit'
import { expect, test } from 'vitest'
import {
  acceptDeliveries,
  appendRunEvents,
  findHeldStates,
  findWatermark,
  listRunEvents,
  loseDeliveries,
  refuseDeliveries,
  renewLeases,
  requestCancel,
  settleRuns,
  startRuns,
  sweepDeliveries,
} from '../index.ts'
import { ofMachine } from './of-machine.ts'

const database = useTestDatabase()

const place = usePlace(database)

const lease = (slots = 10, sessionEpoch = place.sessionEpoch) =>
  leaseSome(database.db, { ...place, sessionEpoch }, slots)
const settle = (...reports: SettleReport[]) => settleReports(database.db, place, reports)

test('a running delivery whose lease lapses is stalled, and its late report still counts', async () => {
  await makeDelivery(database.db, place)
  const held = await startOne(database.db, place)
  await lapse(database.db, held.deliveryId)
  expect((await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 }))[0]?.moved).toBe(
    'stalled',
  )
  expect(await lease()).toEqual([])
  expect(await settle(reportOf(held))).toEqual(['settled'])
  expect(await deliveryRow(database.db, held.deliveryId)).toMatchObject({ state: 'succeeded' })
})

test('a stalled delivery runs again when its machine renews', async () => {
  await makeDelivery(database.db, place)
  const held = await startOne(database.db, place)
  await lapse(database.db, held.deliveryId)
  await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 })
  expect((await renewLeases(database.db, ofMachine(place.machineId, [held]), LEASE_MS)).size).toBe(1)
  expect(await deliveryRow(database.db, held.deliveryId)).toMatchObject({ state: 'running', reason: null })
})

test('a lapse before the start loses the run; the next lease makes a new one and the old report changes nothing', async () => {
  await makeDelivery(database.db, place)
  const held = await acceptOne(database.db, place)
  await lapse(database.db, held.deliveryId)
  expect((await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 }))[0]?.moved).toBe(
    'lapsed',
  )
  expect(await runRow(database.db, held.runId)).toMatchObject({ state: 'lost' })
  const next = await acceptOne(database.db, place)
  expect(next.runId).not.toBe(held.runId)
  expect(await settle(reportOf(held))).toEqual(['superseded'])
  expect(await deliveryRow(database.db, held.deliveryId)).toMatchObject({
    state: 'leased',
    run_id: next.runId,
  })
  expect(await runRow(database.db, held.runId)).toMatchObject({ state: 'succeeded' })
  expect(await settle(reportOf(next))).toEqual(['settled'])
})

test('a lapse before the start is undone by the machine as long as nobody leased it again', async () => {
  await makeDelivery(database.db, place)
  const held = await acceptOne(database.db, place)
  await lapse(database.db, held.deliveryId)
  await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 })
  const started = await startRuns(
    database.db,
    ofMachine(place.machineId, [{ ...held, agoMs: 40_000, workspace: '/w' }]),
    LEASE_MS,
  )
  expect(started.size).toBe(1)
  expect(await deliveryRow(database.db, held.deliveryId)).toMatchObject({ state: 'running' })
  expect(await runRow(database.db, held.runId)).toMatchObject({ state: 'running' })
})

test('the same finish key gets the same answer, another key after it changes nothing', async () => {
  await makeDelivery(database.db, place)
  const held = await startOne(database.db, place)
  const end = reportOf(held)
  expect(await settle(end)).toEqual(['settled'])
  expect(await settle(end)).toEqual(['already'])
  expect(await settle(reportOf(held, { state: 'failed', outcome: 'error' }))).toEqual(['superseded'])
  expect(await deliveryRow(database.db, held.deliveryId)).toMatchObject({ state: 'succeeded' })
  expect(await settle(reportOf({ ...held, runId: 'run_00000000000000000000000000000000' }))).toEqual([
    'unknown',
  ])
})

test('a failed run is tried again only when its job says that this does no harm', async () => {
  await makeDelivery(database.db, place)
  const once = await startOne(database.db, place)
  await settle(reportOf(once, { state: 'failed', outcome: 'error', errorKind: 'crashed' }))
  expect(await deliveryRow(database.db, once.deliveryId)).toMatchObject({
    state: 'failed',
    reason: 'crashed',
  })

  const limits = { silenceMs: null, wallMs: null, maxAttempts: 2, repeatable: true }
  await makeDelivery(database.db, place, { delivery: { limits } })
  const first = await startOne(database.db, place)
  await settle(reportOf(first, { state: 'failed', outcome: 'error', errorKind: 'crashed' }))
  expect(await deliveryRow(database.db, first.deliveryId)).toMatchObject({
    state: 'parked',
    finished_at: null,
  })
  await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 })
  const second = await startOne(database.db, place)
  await settle(reportOf(second, { state: 'timed_out', outcome: 'error', errorKind: 'timeout_wall' }))
  expect(await deliveryRow(database.db, first.deliveryId)).toMatchObject({ state: 'dead', attempt: 2 })
})

test('a refusal says why; a final one ends the delivery with a run that explains itself', async () => {
  await makeDelivery(database.db, place)
  const held = await leaseOne(database.db, place)
  const why = { ...held, errorKind: 'workspace' as const, message: 'busy', final: false, retryAfterMs: 0 }
  expect((await refuseDeliveries(database.db, place.machineId, [why])).size).toBe(1)
  expect(await deliveryRow(database.db, held.deliveryId)).toMatchObject({
    state: 'pending',
    reason_message: 'busy',
  })
  const next = await leaseOne(database.db, place)
  await refuseDeliveries(database.db, place.machineId, [
    { ...why, ...next, message: '/x is missing', final: true },
  ])
  expect(await deliveryRow(database.db, next.deliveryId)).toMatchObject({ state: 'failed', attempt: 1 })
  expect(await runRow(database.db, next.runId)).toMatchObject({
    state: 'failed',
    error_kind: 'workspace',
    message: '/x is missing',
  })
})

test('a cancel ends at once what no machine has accepted and asks the machine for the rest', async () => {
  await makeDelivery(database.db, place)
  const waiting = await leaseOne(database.db, place)
  const first = await requestCancel(database.db, place.organizationId, waiting.deliveryId, 'changed my mind')
  expect(first).toMatchObject({ state: 'cancelled', mustStop: false })
  expect((await acceptDeliveries(database.db, ofMachine(place.machineId, [waiting]), LEASE_MS)).size).toBe(0)

  await makeDelivery(database.db, place)
  const running = await startOne(database.db, place)
  expect(await requestCancel(database.db, place.organizationId, running.deliveryId, 'stop')).toMatchObject({
    state: 'running',
    mustStop: true,
  })
  const renewed = await renewLeases(database.db, ofMachine(place.machineId, [running]), LEASE_MS)
  expect(renewed.get(running.deliveryId)?.cancelReason).toBe('stop')
  expect(await settle(reportOf(running, { state: 'cancelled' }))).toEqual(['settled'])
  expect(await deliveryRow(database.db, running.deliveryId)).toMatchObject({ state: 'cancelled' })
})

test("another organization's delivery cannot be cancelled or told from one that does not exist", async () => {
  const made = await makeDelivery(database.db, place)
  const foreign = await makePlace(database.db)
  expect(await requestCancel(database.db, foreign.organizationId, made.id, 'x')).toBeNull()
})

test('a machine that comes back without a run has lost it', async () => {
  await makeDelivery(database.db, place)
  const kept = await startOne(database.db, place)
  await makeDelivery(database.db, place)
  const gone = await startOne(database.db, place)
  expect(await loseDeliveries(database.db, place.machineId, [kept.deliveryId])).toEqual([gone.deliveryId])
  expect(await deliveryRow(database.db, gone.deliveryId)).toMatchObject({ state: 'failed', reason: 'lost' })
  expect(await runRow(database.db, gone.runId)).toMatchObject({ state: 'lost', error_kind: 'lost' })
  expect(await deliveryRow(database.db, kept.deliveryId)).toMatchObject({ state: 'running' })
})

test('what a machine holds is judged by the fence', async () => {
  await makeDelivery(database.db, place)
  const held = await acceptOne(database.db, place)
  const stale = { ...held, fence: held.fence - 1, phase: 'running' as const }
  const [now, old] = await findHeldStates(database.db, place.machineId, [
    { ...held, phase: 'accepted' },
    stale,
  ])
  expect(now).toMatchObject({ current: true, state: 'leased', runFinished: false })
  expect(old).toMatchObject({ current: false })
})

test('a transcript is stored only where it follows exactly what is stored', async () => {
  await makeDelivery(database.db, place)
  const held = await startOne(database.db, place)
  const start = await findWatermark(database.db, held.runId)
  if (!start) throw new Error('no run')
  const item = {
    runId: held.runId,
    machineId: place.machineId,
    fence: held.fence,
    fromSeq: 1,
    hashBefore: start.lastHash,
    hashAfter: 'a'.repeat(64),
    texts: ['{"a":"é🚀"}', '{"b":"\\u0000"}'],
    firstOutput: true,
    consumed: false,
  }
  expect(await appendRunEvents(database.db, [item])).toEqual(new Set([held.runId]))
  expect(await appendRunEvents(database.db, [item])).toEqual(new Set())
  expect(await appendRunEvents(database.db, [{ ...item, fromSeq: 4, hashBefore: item.hashAfter }])).toEqual(
    new Set(),
  )
  expect(
    await appendRunEvents(database.db, [
      { ...item, fromSeq: 3, hashBefore: item.hashAfter, fence: held.fence - 1 },
    ]),
  ).toEqual(new Set())
  expect(await listRunEvents(database.db, held.runId, { afterSeq: 0, limit: 10, maxBytes: 1e6 })).toEqual([
    { seq: 1, text: '{"a":"é🚀"}' },
    { seq: 2, text: '{"b":"\\u0000"}' },
  ])
  expect(await listRunEvents(database.db, held.runId, { afterSeq: 0, limit: 10, maxBytes: 1 })).toHaveLength(
    1,
  )
  expect((await runRow(database.db, held.runId)).first_output_at).not.toBeNull()
})

test('a report that names another delivery than its run belongs to ends nothing', async () => {
  const other = await makePlace(database.db)
  const waiting = await makeDelivery(database.db, other)
  await makeDelivery(database.db, place)
  const held = await startOne(database.db, place)
  expect(await settle(reportOf({ ...held, deliveryId: waiting.id }))).toEqual(['unknown'])
  expect(await deliveryRow(database.db, waiting.id)).toMatchObject({ state: 'pending', finish_key: null })
  expect(await settle(reportOf(held))).toEqual(['settled'])
})

test('one statement takes what several machines say, and each only about its own', async () => {
  const other = await makePlace(database.db)
  await makeDelivery(database.db, place)
  const mine = await leaseOne(database.db, place)
  const elsewhere = await makeDelivery(database.db, other)
  const theirs = await leaseOne(database.db, other)
  const swapped = [...ofMachine(other.machineId, [mine]), ...ofMachine(place.machineId, [theirs])]
  expect((await acceptDeliveries(database.db, swapped, LEASE_MS)).size).toBe(0)
  const own = [...ofMachine(place.machineId, [mine]), ...ofMachine(other.machineId, [theirs])]
  expect((await acceptDeliveries(database.db, own, LEASE_MS)).size).toBe(2)
  const reports = [
    ...ofMachine(other.machineId, [reportOf(theirs), reportOf(mine)], { sentAt: 2500 }),
    ...ofMachine(place.machineId, [reportOf(mine)], { sentAt: 2500 }),
  ]
  const [first, second, third] = reports as [(typeof reports)[0], (typeof reports)[0], (typeof reports)[0]]
  const ends = await settleRuns(database.db, [first, second], { retryBaseMs: 0 })
  expect(ends.map(({ result }) => result)).toEqual(['settled', 'unknown'])
  const [last] = await settleRuns(database.db, [third], { retryBaseMs: 0 })
  expect(last?.result).toBe('settled')
  expect((await deliveryRow(database.db, elsewhere.id)).state).toBe('succeeded')
})
