import type { DeliveryRules } from '@baton/db'
import type { Overlap } from '@baton/protocol'
import { LIMITS, newEvent } from '@baton/testkit'
import fc from 'fast-check'
import { ensure } from './invariants.ts'
import { always, hasDelivery, pick, step, which } from './step.ts'
import { LEASE_MS, MAX_ATTEMPTS, toHeld, type World } from './world.ts'

const rules = fc.record({
  priority: fc.constantFrom(0, 5),
  delayMs: fc.constantFrom(0, 0, 60_000),
  ttlMs: fc.constantFrom(null, 60_000),
  stallMs: fc.constantFrom(null, 60_000),
  limit: fc.constantFrom(null, null, 1, 2),
  overlap: fc.constantFrom<Overlap>('queue', 'queue', 'skip', 'replace', 'coalesce'),
})

export const ingest = fc
  .record({
    agent: which,
    lane: fc.constantFrom(null, '/shared'),
    repeatable: fc.boolean(),
    from: fc.constantFrom('memory', 'memory of an old session', 'nowhere'),
    rules: fc.option(rules, { freq: 1 }),
  })
  .map((choice) =>
    step(`ingest ${JSON.stringify(choice)}`, always, async (world) => {
      const agent = pick(world.agents, choice.agent)
      const event = newEvent({ ...world, agentId: agent.id, sessionEpoch: world.epoch })
      const [delivery] = event.deliveries
      if (!delivery) throw new Error('An event without a delivery.')
      delivery.limits = { ...LIMITS, maxAttempts: MAX_ATTEMPTS, repeatable: choice.repeatable }
      delivery.lane = choice.lane
      if (choice.rules) delivery.rules = toRules(world, choice.rules)
      // What a session does: it reserves a slot only where it knows that lane and agent are free, and never with rules.
      if (choice.from !== 'nowhere' && choice.rules === null && hasRoom(world, agent, choice.lane))
        delivery.leaseEpoch = choice.from === 'memory' ? world.epoch : world.epoch - 1
      const [answer] = await world.statements.insertEvents(world.db, [event], LEASE_MS)
      if (!answer) throw new Error('No answer.')
      world.keys.set(event.dedupKey, answer)
      const stored = answer.deliveries.find(({ id }) => id === delivery.id)
      const isLeased = (stored?.fence ?? 0) > 0
      ensure(
        isLeased === (delivery.leaseEpoch === world.epoch),
        'a lease was granted to an old session, or not to the newest',
        answer,
      )
      if (stored && isLeased)
        world.held.push(toHeld({ deliveryId: stored.id, runId: stored.runId, fence: stored.fence }))
      return null
    }),
  )

function toRules(
  { organizationId }: World,
  {
    limit,
    overlap,
    ...rest
  }: { limit: number | null; overlap: Overlap } & Pick<
    DeliveryRules,
    'priority' | 'delayMs' | 'ttlMs' | 'stallMs'
  >,
): DeliveryRules {
  return {
    ...rest,
    conversation: null,
    overlap,
    concurrencyKey: limit === null ? null : `${organizationId} ${limit}`,
    concurrencyLimit: limit,
    overlapKey: overlap === 'queue' ? null : `${organizationId} ${overlap}`,
  }
}

function hasRoom({ snapshot }: World, agent: World['agents'][number], lane: string | null): boolean {
  const live = [...snapshot.deliveries.values()].filter((row) =>
    ['leased', 'running', 'stalled'].includes(row.state),
  )
  const isLaneFree = live.every((row) => lane === null || row.lane !== lane)
  return isLaneFree && live.filter((row) => row.agent_id === agent.id).length < agent.maxConcurrent
}

export const duplicate = which.map((index) =>
  step(
    `duplicate ${index}`,
    ({ keys }) => keys.size > 0,
    async (world) => {
      const [key, first] = pick([...world.keys], index)
      const again = newEvent(
        { ...world, agentId: pick(world.agents, index).id, sessionEpoch: world.epoch },
        { dedupKey: key },
      )
      const [answer] = await world.statements.insertEvents(world.db, [again], LEASE_MS)
      ensure(
        answer?.eventId === first.eventId && !answer.inserted,
        'a repeat was answered as something new',
        answer,
      )
      return null
    },
  ),
)

export const lease = fc
  .record({ slots: fc.integer({ min: 1, max: 3 }), stale: fc.constantFrom(false, false, false, true) })
  .map(({ slots, stale }) =>
    step(`lease ${slots}${stale ? ' by an old session' : ''}`, always, async (world) => {
      const sessionEpoch = stale ? world.epoch - 1 : world.epoch
      const options = { sessionEpoch, slots, leaseMs: LEASE_MS, bodyBytes: 100 }
      const leased = await world.statements.leaseDeliveries(world.db, world.machineId, options)
      ensure(leased.length <= (stale ? 0 : slots), 'more was leased than asked for', leased)
      for (const { id, runId, fence } of leased) world.held.push(toHeld({ deliveryId: id, runId, fence }))
      return null
    }),
  )

/** What a session does that hears of a delivery of another relay: only where it knows of room, and never with rules. */
export const leaseKnown = fc
  .record({ index: which, stale: fc.constantFrom(false, false, false, true) })
  .map(({ index, stale }) =>
    step(`known ${index}${stale ? ' by an old session' : ''}`, hasDelivery, async (world) => {
      const row = pick([...world.snapshot.deliveries.values()], index)
      const agent = world.agents.find(({ id }) => id === row.agent_id)
      const hasRules = row.overlap !== 'queue' || row.concurrency_key !== null
      if (!agent || hasRules || !hasRoom(world, agent, row.lane)) return null
      const sessionEpoch = stale ? world.epoch - 1 : world.epoch
      const options = { id: row.id, sessionEpoch, leaseMs: LEASE_MS, bodyBytes: 100 }
      const known = await world.statements.leaseKnown(world.db, world.machineId, options)
      ensure(
        (known !== null) === (row.state === 'pending' && row.attempt === 0 && !stale),
        'leased by its id, but not to be had, or the other way round',
        { row, known, stale },
      )
      if (known)
        world.held.push(toHeld({ deliveryId: row.id, runId: known.delivery.runId, fence: known.fence }))
      return null
    }),
  )
