import {
  acceptDeliveries,
  type Connection,
  claimDispatches,
  connect,
  type DispatchClaim,
  leaseDeliveries,
  ofMachine,
  reportDispatch,
  settleRuns,
  sql,
  startRuns,
} from '@baton/db'
import { LEASE_MS, type LeaseRef, type OutputKind, outputText } from '@baton/protocol'
import {
  createTestDatabase,
  makeDelivery,
  makePlace,
  newTestId,
  type TestDatabase,
  wireRun,
} from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOutputSenders, type OutputSender } from '../../apps/relay/src/outputs/output-sender.ts'
import { prepareDispatch } from '../../apps/relay/src/outputs/prepare-dispatch.ts'
import { tryDispatch } from '../../apps/relay/src/outputs/try-dispatch.ts'
import { createRandom, printSeed, seed } from './support/seed.ts'

printSeed('outputs')
let database: TestDatabase
let connection: Connection
beforeAll(async () => {
  database = await createTestDatabase()
  connection = connect(database.url, { max: 6 })
})
afterAll(async () => {
  await connection?.close()
  await database?.[Symbol.asyncDispose]()
})

const DELIVERIES = 25
const STEPS = 400
const log = { warn() {}, info() {}, error() {}, debug() {} }

/** A relay as it should be, or one with a mistake that the rules below must find. */
type Relay =
  | 'right'
  | 'never looks before it repeats'
  | 'looks, and sends all the same'
  | 'sends although its claim has ended'

/**
 * Relays claim, send and report over one database, while at random an answer is lost after the effect, the other
 * side fails, and a relay dies before or after it sent; claims and pauses end whenever chance says so. The other side
 * counts what it got under each key.
 */
async function play(relay: Relay, random: () => number) {
  const { db } = connection
  const { organizationId, machineId, sessionEpoch, agentId } = await makePlace(db)
  const jobId = newTestId('job')
  await sql`insert into jobs (id, organization_id, agent_id, key, name, prompt, limits, rules)
    values (${jobId}, ${organizationId}, ${agentId}, 'j', 'j', 'x', '{}', '{}')`.execute(db)
  for (const kind of ['slack', 'webhook', 'log'] satisfies OutputKind[]) {
    await sql`insert into outputs (id, organization_id, job_id, kind, moment, config, message)
      values (${newTestId('output')}, ${organizationId}, ${jobId}, ${kind}, 'always', '{}',
        ${JSON.stringify(outputText.parse({}))}::text::jsonb)`.execute(db)
  }
  const place = { organizationId, machineId, sessionEpoch, agentId }
  const ends = await finishAll(place, jobId)
  const world = createWorld(random)
  const senders = createOutputSenders()
  senders.register(world.sender('slack', relay !== 'never looks before it repeats'))
  senders.register(world.sender('webhook', false))
  senders.register({
    kind: 'log',
    send: async () => ({ result: 'sent', content: 'x' }),
    readBack: async () => ({ result: 'absent' }),
  })
  const parts = {
    prepare: (claim: DispatchClaim) =>
      prepareDispatch({ db, sealKey: Buffer.alloc(32), publicUrl: 'http://relay' }, claim),
    senders,
    outbound: {} as never,
    publicUrl: () => 'http://relay',
    now: Date.now,
    log: log as never,
  }

  let clock = 0
  const pass = async () => {
    clock++
    await timePasses(organizationId)
  }

  async function work(depth = 0): Promise<void> {
    const claimedAt = clock
    const isStillMine = () => clock === claimedAt || relay === 'sends although its claim has ended'
    for (const claim of await claimDispatches(db, { limit: 5, claimMs: 60_000 })) {
      if (random() < 0.1) continue
      const seen = relay === 'looks, and sends all the same' ? { ...claim, unconfirmed: false } : claim
      const report = await tryDispatch(parts, seen, { signal: AbortSignal.timeout(5_000), isStillMine })
      if (report === null || random() < 0.15) continue
      // A report that comes after its claim has ended and another relay has taken over.
      if (random() < 0.15 && depth < 2) {
        await pass()
        await work(depth + 1)
      }
      await reportDispatch(db, claim, report)
    }
  }

  for (let step = 0; step < STEPS; step++) {
    // Ten tries would end the most unlucky ones; what is looked at here is that nothing is lost or doubled.
    await sql`update dispatches set tries = 0 where organization_id = ${organizationId} and state = 'pending'`.execute(
      db,
    )
    if (random() < 0.4) await pass()
    await work()
    if (random() < 0.3) await ends.repeat(random)
    if (step > STEPS / 2) world.calm()
    if ((await open(organizationId)) === 0 && step > 20) break
  }
  return { rows: await rowsOf(organizationId), world }
}

type Place = Awaited<ReturnType<typeof makePlace>>

/** Runs every delivery to its end. `repeat` sends a report again, or one of an older lease: neither may queue anything. */
async function finishAll(place: Place, jobId: `job_${string}`) {
  const { db } = connection
  for (let index = 0; index < DELIVERIES; index++)
    await makeDelivery(db, place, { jobId, delivery: { jobId } })
  const options = { sessionEpoch: place.sessionEpoch, slots: DELIVERIES, leaseMs: LEASE_MS, bodyBytes: 10 }
  const leased = await leaseDeliveries(db, place.machineId, options)
  const leases: LeaseRef[] = leased.map(({ id, runId, fence }) => ({ deliveryId: id, runId, fence }))
  await acceptDeliveries(db, ofMachine(place.machineId, leases), LEASE_MS)
  await startRuns(
    db,
    ofMachine(
      place.machineId,
      leases.map((lease) => ({ ...lease, agoMs: 0, workspace: '/w' })),
    ),
    LEASE_MS,
  )
  const settles = leases.map((lease) => wireRun(lease, []).settle)
  const settle = (reports: typeof settles) =>
    settleRuns(db, ofMachine(place.machineId, reports, { sentAt: Date.now() }), {
      retryBaseMs: 1_000,
    } as never)
  await settle(settles.map((one) => ({ ...one, fence: one.fence - 1, finishKey: 'stale-report' })))
  await settle(settles)
  return {
    async repeat(random: () => number) {
      const one = settles[Math.floor(random() * settles.length)]
      if (one)
        await settle([random() < 0.5 ? one : { ...one, fence: one.fence - 1, finishKey: 'stale-report' }])
    },
  }
}

function createWorld(random: () => number) {
  const effects = new Map<string, number>()
  let trouble = 0.5
  return {
    effects,
    calm: () => {
      trouble = 0
    },
    sender: <K extends 'slack' | 'webhook'>(kind: K, canLook: boolean): OutputSender<K> => ({
      kind,
      async send({ key }) {
        const chance = random()
        if (chance < trouble * 0.3) return { result: 'retry', why: 'refused', afterMs: 1_000 }
        if (chance < trouble * 0.5) return { result: 'unknown', why: 'lost before it came' }
        effects.set(key, (effects.get(key) ?? 0) + 1)
        if (chance < trouble) return { result: 'unknown', why: 'lost after it came' }
        return { result: 'sent', externalId: key }
      },
      ...(canLook && {
        async readBack({ key }: { key: string }) {
          if (random() < trouble * 0.3) return { result: 'unknown' as const, why: 'cannot be asked now' }
          return effects.has(key)
            ? { result: 'sent' as const, externalId: key }
            : { result: 'absent' as const }
        },
      }),
    }),
  }
}

const timePasses = (organizationId: string) =>
  sql`update dispatches set next_at = now() - interval '1 ms'
    where organization_id = ${organizationId} and state in ('pending', 'sending')`.execute(connection.db)

async function open(organizationId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from dispatches
    where organization_id = ${organizationId} and state in ('pending', 'sending')`.execute(connection.db)
  return rows[0]?.count ?? -1
}

type Row = { kind: string; key: string; state: string; maybe_repeated: boolean; fence: number }
async function rowsOf(organizationId: string): Promise<Row[]> {
  const { rows } = await sql<Row>`select kind, key, state, maybe_repeated, fence from dispatches
    where organization_id = ${organizationId}`.execute(connection.db)
  return rows
}

/** What must hold whatever happens (invariant 7). */
function findings({ rows, world }: Awaited<ReturnType<typeof play>>): Record<string, number> {
  const got = (row: Row) => world.effects.get(row.key) ?? 0
  const slack = rows.filter((row) => row.kind === 'slack')
  const webhook = rows.filter((row) => row.kind === 'webhook')
  return {
    missingRows: 3 * DELIVERIES - rows.length,
    doubleKeys: rows.length - new Set(rows.map(({ key }) => key)).size,
    withoutLease: rows.filter(({ fence }) => fence <= 0).length,
    notSent: rows.filter(({ state }) => state !== 'sent').length,
    lost: [...slack, ...webhook].filter((row) => got(row) === 0).length,
    doubledWhereItCanLook: slack.filter((row) => got(row) > 1).length,
    doubledWithoutSaying: webhook.filter((row) => got(row) > 1 && !row.maybe_repeated).length,
  }
}

const nothing = {
  missingRows: 0,
  doubleKeys: 0,
  withoutLease: 0,
  notSent: 0,
  lost: 0,
  doubledWhereItCanLook: 0,
  doubledWithoutSaying: 0,
}

test(`75 effects through lost answers, dead relays and ended claims: none is lost, and none is doubled where it can be found (SEED=${seed})`, async () => {
  expect(findings(await play('right', createRandom(seed)))).toEqual(nothing)
}, 60_000)

test.each<[Relay, keyof typeof nothing]>([
  ['never looks before it repeats', 'doubledWhereItCanLook'],
  ['looks, and sends all the same', 'doubledWithoutSaying'],
  ['sends although its claim has ended', 'doubledWhereItCanLook'],
])(
  'a relay that %s is found out',
  async (relay, by) => {
    let found = 0
    for (let round = 0; round < 5 && found === 0; round++) {
      found = findings(await play(relay, createRandom(seed + round)))[by] ?? 0
    }
    expect(found).toBeGreaterThan(0)
  },
  60_000,
)
