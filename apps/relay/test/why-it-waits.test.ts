import {
  acceptDeliveries,
  findRunView,
  leaseDeliveries,
  loseDeliveries,
  ofMachine,
  refuseDeliveries,
  requestCancel,
  sql,
  startRuns,
  sweepDeliveries,
} from '@baton/db'
import { DEFAULT_RULES, LEASE_MS, type RunLimits } from '@baton/protocol'
import { LIMITS, leaseSome, makeDelivery, makeJob, refOf, usePlace, useTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { explain } from '../src/why/explain.ts'

const database = useTestDatabase()
const place = usePlace(database)

/** One delivery that its machine has accepted, and started where asked. */
async function accepted(limits: Partial<RunLimits> = {}, isStarted = false) {
  const { id } = await makeDelivery(database.db, place, { delivery: { limits: { ...LIMITS, ...limits } } })
  const refs = (await leaseSome(database.db, place, 1)).map(refOf)
  await acceptDeliveries(database.db, ofMachine(place.machineId, refs), LEASE_MS)
  const starts = refs.map((ref) => ({ ...ref, agoMs: 0, workspace: '/w' }))
  if (isStarted) await startRuns(database.db, ofMachine(place.machineId, starts), LEASE_MS)
  return { id, refs }
}

async function lapse(id: string) {
  await sql`update deliveries set lease_expires_at = now() - interval '1 s' where id = ${id}`.execute(
    database.db,
  )
  await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 })
}

async function told(id: string) {
  const { organizationId } = place
  const run = await findRunView(database.db, organizationId, id)
  const ctx = { connection: database.connection, principal: { organizationId } } as unknown as Parameters<
    typeof explain
  >[0]
  const why = await explain(ctx, id)
  return {
    status: run?.status,
    sentence: run?.sentence,
    why: why.sentence,
    codes: why.conditions.map(({ code }) => code),
  }
}

test('work whose lease lapsed before its start is asleep and not lost, and why says what it waits for', async () => {
  const { id } = await accepted()
  await lapse(id)
  expect(await told(id)).toMatchObject({ status: 'asleep', codes: ['machine_offline'] })
  const heardOf = (at: string) =>
    sql`update machines set last_heartbeat_at = now() + ${at}::text::interval where id = ${place.machineId}`.execute(
      database.db,
    )
  await sql`update deliveries set state_since = now() - interval '10 s' where id = ${id}`.execute(database.db)
  await heardOf('-15 s')
  expect(await told(id)).toMatchObject({ codes: ['machine_silent'] })
  await heardOf('-5 s')
  expect(await told(id)).toMatchObject({
    status: 'queued',
    sentence: expect.stringContaining('offered again'),
    codes: [],
  })
})

test('work that its machine gave back for a while waits and is not stopped', async () => {
  const { id, refs } = await accepted()
  const disk = { errorKind: 'disk_full', message: 'The disk is full.', final: false } as const
  await refuseDeliveries(
    database.db,
    place.machineId,
    refs.map((ref) => ({ ...ref, ...disk, retryAfterMs: 60_000 })),
  )
  expect(await told(id)).toMatchObject({
    status: 'waiting',
    sentence: 'The disk is full.',
    codes: ['machine_offline', 'parked_disk_full'],
  })
})

test('work that may be repeated and whose run was lost waits for its next attempt', async () => {
  const { id } = await accepted({ repeatable: true }, true)
  await loseDeliveries(database.db, place.machineId, [])
  expect(await told(id)).toMatchObject({ status: 'asleep', codes: ['machine_offline'] })
  await requestCancel(database.db, place.organizationId, id as never, 'enough')
  expect(await told(id)).toMatchObject({ status: 'stopped' })
})

test('a stalled run that is to be stopped does not promise to go on', async () => {
  const { id } = await accepted({}, true)
  await lapse(id)
  expect((await told(id)).why).toContain('goes on by itself')
  await requestCancel(database.db, place.organizationId, id as never, 'enough')
  const { why, codes } = await told(id)
  expect(codes).toEqual(['machine_offline', 'stalled'])
  expect(why).not.toContain('goes on')
})

test('what is dead or expired says so as a condition with a way out', async () => {
  const { id } = await accepted({ maxAttempts: 1 })
  await lapse(id)
  expect(await told(id)).toMatchObject({ codes: ['dead'], why: expect.stringContaining('1 of 1') })
  const waits = await makeDelivery(database.db, place)
  await sql`update deliveries set expires_at = now() where id = ${waits.id}`.execute(database.db)
  expect(await told(waits.id)).toMatchObject({ codes: ['machine_offline', 'expired'] })
  await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 })
  expect(await told(waits.id)).toMatchObject({ status: 'failed', codes: ['expired'] })
})

test('a job that has used up its hour and its budget of the day says so itself', async () => {
  const { organizationId, agentId, machineId } = place
  const budget = { dayTokens: 1, dayUsd: null, runTokens: null, runUsd: null }
  const rules = { ...DEFAULT_RULES, perHour: 1 }
  const id = await makeJob(database.db, place, { rules, budget })
  const why = async () => {
    const ctx = {
      connection: database.connection,
      principal: { organizationId },
      config: { publicUrl: 'http://relay' },
    }
    return (await explain(ctx as unknown as Parameters<typeof explain>[0], id)).conditions.map(
      ({ code }) => code,
    )
  }
  expect(await why()).not.toContain('hourly_limit')
  await makeDelivery(database.db, place, { delivery: { jobId: id } })
  const options = { sessionEpoch: place.sessionEpoch, slots: 1, leaseMs: LEASE_MS, bodyBytes: 0 }
  expect(await leaseDeliveries(database.db, machineId, options)).toHaveLength(1)
  await sql`insert into usage_days (organization_id, day, agent_id, machine_id, job_id, runs, priced_runs, input_tokens,
      output_tokens, cached_tokens, cost_usd)
    values (${organizationId}, (now() at time zone 'UTC')::date, ${agentId}, ${machineId}, ${id}, 1, 0, 6, 6, 0, 0)`.execute(
    database.db,
  )
  expect(await why()).toEqual(expect.arrayContaining(['hourly_limit', 'job_budget']))
})
