import {
  acceptDeliveries,
  findDeliveryFacts,
  leaseDeliveries,
  ofMachine,
  sql,
  sweepDeliveries,
} from '@baton/db'
import { DEFAULT_RULES, type JobId, LEASE_MS } from '@baton/protocol'
import { makeDelivery, makeJob, makePlace, type Place, useTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { unmetConditions } from '../src/why/unmet-conditions.ts'

const database = useTestDatabase()

/** mulberry32: the same world again for the same seed. */
function randomOf(seed: number) {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

async function makeWorld(random: () => number): Promise<Place> {
  const { db } = database
  const place = await makePlace(db, { maxConcurrent: 1 + Math.floor(random() * 3) })
  await sql`update machines set last_heartbeat_at = now(), slots = ${1 + Math.floor(random() * 4)}::int where id = ${place.machineId}`.execute(
    db,
  )
  if (random() < 0.15) await sql`update agents set paused_at = now() where id = ${place.agentId}`.execute(db)
  if (random() < 0.25) await limitAgent(place, random)
  const jobs = [null, await makeAnyJob(place, random), await makeAnyJob(place, random)]
  if (random() < 0.05)
    await sql`update machines set draining_at = now() where id = ${place.machineId}`.execute(db)
  const count = 2 + Math.floor(random() * 8)
  for (let i = 0; i < count; i++) {
    const lane = random() < 0.6 ? `/folder-${Math.floor(random() * 3)}` : null
    const key = random() < 0.4 ? `key-${place.agentId}-${Math.floor(random() * 2)}` : null
    const limit = key === null ? null : Number(key.at(-1)) + 1
    await makeDelivery(db, place, {
      delivery: {
        lane,
        jobId: jobs[Math.floor(random() * jobs.length)] ?? null,
        rules: {
          priority: Math.floor(random() * 3),
          delayMs: random() < 0.1 ? 60_000 : 0,
          ttlMs: random() < 0.1 ? 1_000 : null,
          stallMs: null,
          concurrencyKey: key,
          concurrencyLimit: limit,
          overlap: 'queue',
          overlapKey: null,
          conversation: null,
        },
      },
    })
  }
  if (random() < 0.7) {
    const leased = await lease(place, 1 + Math.floor(random() * 2))
    const refs = leased.map(({ id, runId, fence }) => ({ deliveryId: id, runId, fence }))
    if (random() < 0.5) await acceptDeliveries(db, ofMachine(place.machineId, refs), LEASE_MS)
    if (random() < 0.3) await lapse(place, random)
  }
  await sql`update deliveries set expires_at = now() where machine_id = ${place.machineId}
    and expires_at is not null`.execute(db)
  return place
}

/** The leases lapsed before their start was heard of, some before and some after the last sign of life. */
async function lapse({ machineId }: Place, random: () => number) {
  const { db } = database
  await sql`update deliveries set lease_expires_at = now() - interval '1 s'
    where machine_id = ${machineId} and state = 'leased'`.execute(db)
  await sweepDeliveries(db, { acceptWithinMs: 10_000, limit: 100 })
  await sql`update deliveries set state_since = now() - ${random() * 20}::float8 * interval '1 s'
    where machine_id = ${machineId} and state = 'pending' and accepted_at is not null`.execute(db)
  await sql`update machines set last_heartbeat_at = now() - interval '10 s' where id = ${machineId}`.execute(
    db,
  )
}

/** The agent itself has something against more work: its account, its sign-in, its budget or its hourly limit. */
async function limitAgent({ organizationId, machineId, agentId }: Place, random: () => number) {
  const { db } = database
  const set = (fields: ReturnType<typeof sql>) =>
    sql`update agents set ${fields} where id = ${agentId}`.execute(db)
  const choice = Math.floor(random() * 5)
  if (choice === 0) await set(sql`per_hour = 1`)
  if (choice === 1)
    await set(sql`blocked_reason = 'quota', blocked_at = now(), blocked_until = now() + interval '1 hour'`)
  if (choice === 2) await set(sql`blocked_reason = 'quota', blocked_at = now(), blocked_until = now()`)
  if (choice === 3) await set(sql`blocked_reason = 'not_signed_in', blocked_at = now()`)
  if (choice < 4) return
  await set(sql`budget = '{"dayTokens": 10, "dayUsd": null, "runTokens": null, "runUsd": null}'`)
  await useTokens({ organizationId, machineId, agentId }, null)
}

async function useTokens(place: Omit<Place, 'sessionEpoch'>, jobId: JobId | null) {
  await sql`insert into usage_days (organization_id, day, agent_id, machine_id, job_id, runs, priced_runs, input_tokens,
      output_tokens, cached_tokens, cost_usd)
    values (${place.organizationId}, (now() at time zone 'UTC')::date, ${place.agentId}, ${place.machineId}, ${jobId}, 1, 0, 6,
      6, 0, 0)`.execute(database.db)
}

async function makeAnyJob(place: Place, random: () => number): Promise<JobId> {
  const isSpent = random() < 0.1
  const id = await makeJob(database.db, place, {
    rules: { ...DEFAULT_RULES, perHour: random() < 0.3 ? 1 : null },
    budget: isSpent ? { dayTokens: 10, dayUsd: null, runTokens: null, runUsd: null } : null,
  })
  if (isSpent) await useTokens(place, id)
  return id
}

const lease = (place: Place, slots: number) =>
  leaseDeliveries(database.db, place.machineId, {
    sessionEpoch: place.sessionEpoch,
    slots,
    leaseMs: LEASE_MS,
    bodyBytes: 0,
  })

const seed = Number(process.env.SEED ?? 20_261_120)

test(`nothing unmet means that the next look leases it, and the other way round (SEED=${seed})`, async () => {
  const random = randomOf(seed)
  const seen = { leased: 0, waiting: 0, codes: new Set<string>() }
  for (let round = 0; round < 120; round++) {
    const place = await makeWorld(random)
    const rows = await database.db
      .selectFrom('deliveries')
      .select(['id', 'state'])
      .where('machine_id', '=', place.machineId)
      .execute()
    const waiting = rows.filter((row) => row.state === 'pending' || row.state === 'parked')
    const free = new Set<string>()
    let slots = 0
    for (const { id } of waiting) {
      const facts = await findDeliveryFacts(database.db, place.organizationId, id)
      if (!facts) throw new Error('no facts')
      const unmet = unmetConditions(facts)
      for (const { code } of unmet) seen.codes.add(code)
      if (unmet.length === 0) free.add(id)
      slots = facts.machine.slots - rows.filter((row) => row.state === 'leased').length
    }
    const leased = new Set(
      (slots > 0 ? await lease(place, slots) : []).map((delivery) => delivery.id as string),
    )
    expect(leased, `round ${round}`).toEqual(free)
    seen.leased += leased.size
    seen.waiting += waiting.length - leased.size
  }
  expect(seen.leased).toBeGreaterThan(30)
  expect(seen.waiting).toBeGreaterThan(30)
  expect([...seen.codes].sort()).toEqual(
    expect.arrayContaining([
      'agent_budget',
      'agent_busy',
      'agent_hourly_limit',
      'agent_not_signed_in',
      'agent_quota',
      'expired',
      'hourly_limit',
      'job_budget',
      'agent_paused',
      'key_busy',
      'machine_busy',
      'machine_draining',
      'machine_silent',
      'not_its_turn',
      'parked_delayed',
      'workspace_busy',
    ]),
  )
})
