import { type Connection, connect, findDeliveryFacts, leaseDeliveries, sql } from '@baton/db'
import { LEASE_MS } from '@baton/protocol'
import { createTestDatabase, makeDelivery, makePlace, type Place } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unmetConditions } from '../src/why/explain.ts'

let database: Awaited<ReturnType<typeof createTestDatabase>>
let connection: Connection

beforeAll(async () => {
  database = await createTestDatabase()
  connection = connect(database.url)
})
afterAll(async () => {
  await connection?.close()
  await database?.[Symbol.asyncDispose]()
})

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
  const { db } = connection
  const place = await makePlace(db, { maxConcurrent: 1 + Math.floor(random() * 3) })
  await sql`update machines set last_heartbeat_at = now(), slots = ${1 + Math.floor(random() * 4)}::int where id = ${place.machineId}`.execute(
    db,
  )
  if (random() < 0.15) await sql`update agents set paused_at = now() where id = ${place.agentId}`.execute(db)
  if (random() < 0.1)
    await sql`update machines set draining_at = now() where id = ${place.machineId}`.execute(db)
  const count = 2 + Math.floor(random() * 8)
  for (let i = 0; i < count; i++) {
    const lane = random() < 0.6 ? `/folder-${Math.floor(random() * 3)}` : null
    const key = random() < 0.4 ? `key-${place.agentId}-${Math.floor(random() * 2)}` : null
    const limit = key === null ? null : Number(key.at(-1)) + 1
    await makeDelivery(db, place, {
      delivery: {
        lane,
        rules: {
          priority: Math.floor(random() * 3),
          delayMs: random() < 0.1 ? 60_000 : 0,
          ttlMs: null,
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
  if (random() < 0.7) await lease(place, 1 + Math.floor(random() * 2))
  return place
}

const lease = (place: Place, slots: number) =>
  leaseDeliveries(connection.db, place.machineId, {
    sessionEpoch: place.sessionEpoch,
    slots,
    leaseMs: LEASE_MS,
    bodyBytes: 0,
  })

const seed = Number(process.env.SEED ?? 20_261_120)

test(`nothing unmet means that the next look leases it, and the other way round (SEED=${seed})`, async () => {
  const random = randomOf(seed)
  const seen = { leased: 0, waiting: 0, codes: new Set<string>() }
  for (let round = 0; round < 60; round++) {
    const place = await makeWorld(random)
    const rows = await connection.db
      .selectFrom('deliveries')
      .select(['id', 'state'])
      .where('machine_id', '=', place.machineId)
      .execute()
    const waiting = rows.filter((row) => row.state === 'pending' || row.state === 'parked')
    const free = new Set<string>()
    let slots = 0
    for (const { id } of waiting) {
      const facts = await findDeliveryFacts(connection.db, place.organizationId, id)
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
      'agent_busy',
      'agent_paused',
      'key_busy',
      'machine_busy',
      'machine_draining',
      'not_its_turn',
      'parked_delayed',
      'workspace_busy',
    ]),
  )
})
