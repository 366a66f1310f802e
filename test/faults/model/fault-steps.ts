import { ofMachine, sql } from '@baton/db'
import fc from 'fast-check'
import { ensure } from './invariants.ts'
import { always, chooseHeld, hasDelivery, hasHeld, pick, step, which } from './step.ts'
import { LEASE_MS, toHeld } from './world.ts'

export const cancel = which.map((index) =>
  step(`cancel ${index}`, hasDelivery, async (world) => {
    const id = pick([...world.snapshot.deliveries.keys()], index)
    await world.statements.requestCancel(world.db, world.organizationId, id, 'enough')
    return null
  }),
)

export const lapse = which.map((index) =>
  step(`lapse ${index}`, hasDelivery, async (world) => {
    const leased = [...world.snapshot.deliveries.values()].filter(
      ({ state }) => state === 'leased' || state === 'running',
    )
    if (leased.length === 0) return null
    await sql`update deliveries set lease_expires_at = now() - interval '1 s', leased_at = now() - interval '60 s'
      where id = ${pick(leased, index).id}`.execute(world.db)
    return null
  }),
)

/** A machine sleeps: its lease lapses, others take the room that it had, and then it wakes and goes on. */
export const sleep = which.map((index) =>
  step(`sleep ${index}`, hasHeld, async (world) => {
    const { statements, db, machineId } = world
    const { lease } = chooseHeld(world, index, true)
    await sql`update deliveries set lease_expires_at = now() - interval '1 s'
      where id = ${lease.deliveryId} and fence = ${lease.fence} and lease_expires_at is not null`.execute(db)
    await statements.sweepDeliveries(db, { acceptWithinMs: 10_000, limit: 500 })
    const options = { sessionEpoch: world.epoch, slots: 3, leaseMs: LEASE_MS, bodyBytes: 100 }
    for (const { id, runId, fence } of await statements.leaseDeliveries(db, machineId, options))
      world.held.push(toHeld({ deliveryId: id, runId, fence }))
    await statements.renewLeases(db, ofMachine(machineId, [lease]), LEASE_MS)
    return null
  }),
)

/** Only what is this model's own: other runs share the database. */
export const sweep = fc.constant(null).map(() =>
  step('sweep', hasDelivery, async (world) => {
    await world.statements.sweepDeliveries(world.db, { acceptWithinMs: 10_000, limit: 500 })
    return null
  }),
)

export const timePasses = fc.constant(null).map(() =>
  step('time-passes', hasDelivery, async (world) => {
    await sql`update deliveries set parked_until = parked_until - interval '1 h', state_since = state_since - interval '1 h'
      where organization_id = ${world.organizationId}`.execute(world.db)
    return null
  }),
)

export const lifeEnds = which.map((index) =>
  step(`life-ends ${index}`, hasDelivery, async (world) => {
    await sql`update deliveries set expires_at = now() - interval '1 s'
      where expires_at is not null and id = ${pick([...world.snapshot.deliveries.keys()], index)}`.execute(
      world.db,
    )
    return null
  }),
)

export const lose = which.map((mask) =>
  step(`lose ${mask}`, hasHeld, async (world) => {
    const stillHeld = world.held
      .filter((_, index) => (mask >> (index % 10)) % 2 === 1)
      .map(({ lease }) => lease.deliveryId)
    await world.statements.loseDeliveries(world.db, world.machineId, stillHeld)
    return null
  }),
)

export const newSession = fc.constant(null).map(() =>
  step('new-session', always, async (world) => {
    const opened = await world.statements.openMachineSession(world.db, world.machineId, 'install1.1')
    ensure((opened?.epoch ?? 0) > world.epoch, 'a new session is no newer', opened)
    world.epoch = opened?.epoch ?? 0
    return null
  }),
)
