import { type DeliveryRules, sql } from '@baton/db'
import { isFinishedDelivery, type Overlap, type SettleReport } from '@baton/protocol'
import { transcriptStep } from '@baton/protocol/transcript-hash'
import { LIMITS, newEvent } from '@baton/testkit'
import fc from 'fast-check'
import { checkFencing, checkInvariants, ensure } from './invariants.ts'
import { type Held, LEASE_MS, MAX_ATTEMPTS, readSnapshot, toHeld, type World } from './world.ts'

type Step = fc.AsyncCommand<World, World, false>
/** Which of many, whatever their number turns out to be. */
const which = fc.nat(999)
const pick = <T>(all: readonly T[], index: number): T => all[index % all.length] as T

/**
 * A step does one thing to the database as the relay would, then everything is checked. `lease` names the lease under
 * which it wrote: nothing else may have changed.
 */
function step(
  name: string,
  possible: (world: World) => boolean,
  run: (world: World) => Promise<Held | null>,
): Step {
  return {
    check: possible,
    toString: () => name,
    async run(_, world) {
      const before = world.snapshot
      const held = await run(world)
      const after = await readSnapshot(world)
      world.snapshot = after
      if (
        JSON.stringify([...before.deliveries, ...before.runs]) !==
        JSON.stringify([...after.deliveries, ...after.runs])
      ) {
        const key = name.split(' ')[0] ?? name
        world.seen.set(key, (world.seen.get(key) ?? 0) + 1)
      }
      try {
        if (held) checkFencing(held.lease, before, after, name.startsWith('settle'))
        checkInvariants(world, before, after, STATEMENTS_OF[name.split(' ')[0] ?? name] ?? 1)
      } catch (error) {
        throw new Error(`After ${name}: ${(error as Error).message}`)
      }
    },
  }
}

/** Steps of several statements, one after the other: a row may move once with each. */
const STATEMENTS_OF: Record<string, number> = { sweep: 3, sleep: 6 }

const always = () => true
const hasHeld = ({ held }: World) => held.length > 0
const hasDelivery = ({ snapshot }: World) => snapshot.deliveries.size > 0

const rules = fc.record({
  priority: fc.constantFrom(0, 5),
  delayMs: fc.constantFrom(0, 0, 60_000),
  ttlMs: fc.constantFrom(null, 60_000),
  stallMs: fc.constantFrom(null, 60_000),
  limit: fc.constantFrom(null, null, 1, 2),
  overlap: fc.constantFrom<Overlap>('queue', 'queue', 'skip', 'replace', 'coalesce'),
})

const ingest = fc
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

const duplicate = which.map((index) =>
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

const lease = fc
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

/** A lease that is still the delivery's newest and alive, or else an older one. */
function chooseHeld({ held, snapshot }: World, index: number, current: boolean): Held {
  const isCurrent = ({ lease }: Held) => {
    const row = snapshot.deliveries.get(lease.deliveryId)
    return row?.fence === lease.fence && !isFinishedDelivery(row.state)
  }
  const wanted = held.filter((one) => isCurrent(one) === current)
  return pick(wanted.length > 0 ? wanted : held, index)
}

const underLease = (name: string, run: (world: World, held: Held) => Promise<void>) =>
  fc.tuple(which, fc.constantFrom(true, true, false)).map(([index, current]) =>
    step(`${name} ${index}${current ? '' : ' of any lease'}`, hasHeld, async (world) => {
      const held = chooseHeld(world, index, current)
      await run(world, held)
      return held
    }),
  )

const accept = underLease('accept', async (world, { lease }) => {
  await world.statements.acceptDeliveries(world.db, world.machineId, [lease], LEASE_MS)
})
const start = underLease('start', async (world, { lease }) => {
  await world.statements.startRuns(
    world.db,
    world.machineId,
    [{ ...lease, agoMs: 1, workspace: '/w' }],
    LEASE_MS,
  )
})
const renew = underLease('renew', async (world, { lease }) => {
  const renewed = await world.statements.renewLeases(world.db, world.machineId, [lease], LEASE_MS)
  if (renewed.size > 0) world.seen.set('renew', (world.seen.get('renew') ?? 0) + 1)
})

const append = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('next', 'next', 'repeat', 'gap'))
  .chain(([count, at]) =>
    underLease(`append-${at} ${count}`, async (world, held) => {
      const fromSeq = at === 'next' ? held.seq + 1 : at === 'gap' ? held.seq + 2 : Math.max(1, held.seq)
      const texts = Array.from(
        { length: count },
        (_, index) => `{"at":1,"type":"message","text":"é🌹 ${fromSeq + index}"}`,
      )
      const hashAfter = texts.reduce(transcriptStep, held.hash)
      const item = {
        ...held.lease,
        machineId: world.machineId,
        fromSeq,
        hashBefore: held.hash,
        hashAfter,
        texts,
        firstOutput: true,
        consumed: false,
      }
      const stored = await world.statements.appendRunEvents(world.db, [item])
      if (!stored.has(held.lease.runId)) return
      ensure(fromSeq === held.seq + 1, 'a part that does not follow was stored', item)
      held.seq += count
      held.hash = hashAfter
    }),
  )

const report = (held: Held, state: SettleReport['state'], finishKey: string): SettleReport => ({
  ...held.lease,
  finishKey,
  state,
  outcome: state === 'succeeded' ? 'done' : 'error',
  errorKind: state === 'succeeded' ? null : 'crashed',
  message: null,
  exitCode: 0,
  signal: null,
  sessionId: null,
  usage: null,
  result: null,
  quotaUntil: null,
  changes: null,
  killProof: null,
  spawn: null,
  finalSeq: held.seq,
  finalHash: held.hash,
  startedAt: 1_000,
  firstOutputAt: null,
  finishedAt: 2_000,
})

const settle = fc
  .tuple(
    fc.constantFrom('succeeded', 'failed', 'timed_out', 'cancelled'),
    fc.constantFrom(false, false, false, true),
  )
  .chain(([state, otherKey]) =>
    underLease(`settle-${state}${otherKey ? ' under another key' : ''}`, async (world, held) => {
      const key = otherKey ? `other-${held.lease.runId}` : held.finishKey
      const [answer] = await world.statements.settleRuns(
        world.db,
        world.machineId,
        [report(held, state as SettleReport['state'], key)],
        { sentAt: 2_500, retryBaseMs: 0 },
      )
      const result = answer?.result ?? 'nothing'
      const known = held.answers.get(key)
      if (known === 'settled' || known === 'already')
        ensure(result === 'already', 'the same finish key got another answer', { known, result })
      if (result === 'settled')
        ensure(
          [...held.answers.values()].every((other) => other !== 'settled'),
          'two finishes of one run were accepted',
          { lease: held.lease },
        )
      held.answers.set(key, result)
    }),
  )

const refuse = fc.tuple(fc.boolean(), fc.constantFrom(0, 60_000)).chain(([final, retryAfterMs]) =>
  underLease(`refuse${final ? '-final' : ''} ${retryAfterMs}`, async (world, { lease }) => {
    const refusal = { ...lease, errorKind: 'workspace' as const, message: 'no', final, retryAfterMs }
    await world.statements.refuseDeliveries(world.db, world.machineId, [refusal])
  }),
)

const cancel = which.map((index) =>
  step(`cancel ${index}`, hasDelivery, async (world) => {
    const id = pick([...world.snapshot.deliveries.keys()], index)
    await world.statements.requestCancel(world.db, world.organizationId, id, 'enough')
    return null
  }),
)

const lapse = which.map((index) =>
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
const sleep = which.map((index) =>
  step(`sleep ${index}`, hasHeld, async (world) => {
    const { statements, db, machineId } = world
    const { lease } = chooseHeld(world, index, true)
    await sql`update deliveries set lease_expires_at = now() - interval '1 s'
      where id = ${lease.deliveryId} and fence = ${lease.fence} and lease_expires_at is not null`.execute(db)
    await statements.sweepDeliveries(db, { acceptWithinMs: 10_000, limit: 500 })
    const options = { sessionEpoch: world.epoch, slots: 3, leaseMs: LEASE_MS, bodyBytes: 100 }
    for (const { id, runId, fence } of await statements.leaseDeliveries(db, machineId, options))
      world.held.push(toHeld({ deliveryId: id, runId, fence }))
    await statements.renewLeases(db, machineId, [lease], LEASE_MS)
    return null
  }),
)

/** Only what is this model's own: other runs share the database. */
const sweep = fc.constant(null).map(() =>
  step('sweep', hasDelivery, async (world) => {
    await world.statements.sweepDeliveries(world.db, { acceptWithinMs: 10_000, limit: 500 })
    return null
  }),
)

const timePasses = fc.constant(null).map(() =>
  step('time-passes', hasDelivery, async (world) => {
    await sql`update deliveries set parked_until = parked_until - interval '1 h', state_since = state_since - interval '1 h'
      where organization_id = ${world.organizationId}`.execute(world.db)
    return null
  }),
)

const lifeEnds = which.map((index) =>
  step(`life-ends ${index}`, hasDelivery, async (world) => {
    await sql`update deliveries set expires_at = now() - interval '1 s'
      where expires_at is not null and id = ${pick([...world.snapshot.deliveries.keys()], index)}`.execute(
      world.db,
    )
    return null
  }),
)

const lose = which.map((mask) =>
  step(`lose ${mask}`, hasHeld, async (world) => {
    const stillHeld = world.held
      .filter((_, index) => (mask >> (index % 10)) % 2 === 1)
      .map(({ lease }) => lease.deliveryId)
    await world.statements.loseDeliveries(world.db, world.machineId, stillHeld)
    return null
  }),
)

const newSession = fc.constant(null).map(() =>
  step('new-session', always, async (world) => {
    const opened = await world.statements.openMachineSession(world.db, world.machineId, 'install1.1')
    ensure((opened?.epoch ?? 0) > world.epoch, 'a new session is no newer', opened)
    world.epoch = opened?.epoch ?? 0
    return null
  }),
)

/** Each step that exists; fast-check takes them with equal chance. */
export const allSteps: fc.Arbitrary<Step>[] = [
  [ingest, ingest, duplicate, lease, lease, lease],
  [accept, accept, accept, start, start, renew, renew, append, append, settle, settle],
  [refuse, cancel, lapse, lapse, sleep, sleep, sweep, sweep, timePasses, lifeEnds, lose, newSession],
].flat()
