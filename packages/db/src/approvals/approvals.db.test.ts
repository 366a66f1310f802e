import { createHash } from 'node:crypto'
import { type ApprovalId, encodeRunEvent, LEASE_MS, type LeaseRef, type UserId } from '@baton/protocol'
import { transcriptHash } from '@baton/protocol/transcript-hash'
import { makeDelivery, makePlace, newTestId, type Place, startOne, useTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import {
  type ApprovalSteps,
  acknowledgeControls,
  answerApproval,
  appendRunEvents,
  findApproval,
  findRunView,
  insertControl,
  leaseDeliveries,
  listApprovals,
  listControls,
  listQueuedControls,
  sweepApprovals,
} from '../index.ts'

const database = useTestDatabase()
let place: Place
let userId: UserId

beforeEach(async () => {
  place = await makePlace(database.db)
  userId = newTestId('user')
  await database.db.insertInto('users').values({ id: userId, email: null, name: 'Ada' }).execute()
})

async function startNew(only: Parameters<typeof makeDelivery>[2] = {}): Promise<LeaseRef> {
  await makeDelivery(database.db, place, only)
  return startOne(database.db, place)
}

const asked = (ask: string, only: Partial<ApprovalSteps['asked'][number]> = {}) => ({
  id: newTestId('approval'),
  ask,
  tool: 'Bash',
  summary: 'npm test',
  input: { command: 'npm test' },
  inputCut: false,
  cwd: '/w',
  actionHash: createHash('sha256').update(ask).digest('hex'),
  expiresMs: 60_000,
  state: 'open' as const,
  ...only,
})
const none: ApprovalSteps = { asked: [], closed: [], steered: [] }

/** Stores one event with what it does; the same text again, so that hashes need no book-keeping. */
async function append(held: LeaseRef, seq: number, steps: Partial<ApprovalSteps>) {
  const text = encodeRunEvent(1, { type: 'status', text: 'x' })
  const before = Array.from({ length: seq - 1 }, () => text)
  const stored = await appendRunEvents(database.db, [
    {
      ...held,
      machineId: place.machineId,
      fromSeq: seq,
      hashBefore: transcriptHash(held.runId, before),
      hashAfter: transcriptHash(held.runId, [...before, text]),
      texts: [text],
      firstOutput: false,
      consumed: false,
      steps: { ...none, ...steps },
    },
  ])
  return stored.has(held.runId)
}

async function askOne(only: Partial<ApprovalSteps['asked'][number]> = {}, delivery = {}) {
  const held = await startNew(delivery)
  const ask = asked('ask-1', only)
  expect(await append(held, 1, { asked: [ask] })).toBe(true)
  return { held, id: ask.id, hash: ask.actionHash }
}

const answer = (
  id: ApprovalId,
  decision: 'allow' | 'deny',
  more = {},
  organizationId = place.organizationId,
) =>
  answerApproval(database.db, organizationId, id, {
    decision,
    scope: 'once',
    pattern: null,
    message: null,
    by: userId,
    via: 'sdk',
    controlId: newTestId('control'),
    ...more,
  })
const view = async (id: ApprovalId) => {
  const found = await findApproval(database.db, place.organizationId, id)
  if (!found) throw new Error('no such approval')
  return found
}
const end = (held: LeaseRef) =>
  sql`with ended as (update runs set state = 'succeeded', finish_key = 'k' where id = ${held.runId})
    update deliveries set state = 'succeeded', finished_at = now(), lease_expires_at = null where id = ${held.deliveryId}`.execute(
    database.db,
  )

test('a question is stored with its event, once for its run and number', async () => {
  const { held, id, hash } = await askOne()
  expect(await append(held, 2, { asked: [asked('ask-1', { summary: 'another' })] })).toBe(true)
  const all = await listApprovals(database.db, place.organizationId, { newestFirst: true, limit: 10 })
  expect(all).toMatchObject([
    { id, state: 'open', summary: 'npm test', actionHash: hash, pattern: 'Bash(npm test)' },
  ])
  expect(await findRunView(database.db, place.organizationId, held.runId)).toMatchObject({
    status: 'waiting',
    sentence: 'Waiting for approval: Bash npm test.',
    openApprovals: [{ id }],
  })
})

test('a question whose event does not follow the transcript is not stored', async () => {
  const held = await startNew()
  expect(await append(held, 2, { asked: [asked('ask-1')] })).toBe(false)
  expect(await append({ ...held, fence: held.fence + 1 }, 1, { asked: [asked('ask-1')] })).toBe(false)
  expect(await listApprovals(database.db, place.organizationId, { newestFirst: true, limit: 10 })).toEqual([])
})

test('of fifty answers at once exactly one wins, and its machine is told once', async () => {
  const { id, held } = await askOne()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      answer(id, at % 2 === 0 ? 'allow' : 'deny', { message: `answer ${at}` }),
    ),
  )
  const winners = answers.flatMap((one, at) => (one === null ? [] : [at]))
  expect(winners).toHaveLength(1)
  const [winner = -1] = winners
  expect(await view(id)).toMatchObject({
    state: winner % 2 === 0 ? 'allowed' : 'denied',
    message: `answer ${winner}`,
    answeredBy: { id: userId, name: 'Ada' },
    answeredVia: 'sdk',
  })
  expect(await listQueuedControls(database.db, place.machineId)).toMatchObject([
    { kind: 'answer', ask: 'ask-1', runId: held.runId, fence: held.fence, message: `answer ${winner}` },
  ])
})

test("another organization's approval is like one that does not exist", async () => {
  const { id } = await askOne()
  const other = await makePlace(database.db)
  expect(await answer(id, 'allow', {}, other.organizationId)).toBeNull()
  expect(await findApproval(database.db, other.organizationId, id)).toBeNull()
  expect(await listApprovals(database.db, other.organizationId, { newestFirst: true, limit: 10 })).toEqual([])
  expect((await view(id)).state).toBe('open')
})

test('what nobody answered in time is denied by the clock of the database, and cannot be allowed any more', async () => {
  const { id } = await askOne()
  await sql`update approvals set expires_at = now() - interval '1 ms' where id = ${id}`.execute(database.db)
  expect(await answer(id, 'allow')).toBeNull()
  const swept = (await Promise.all([1, 2, 3].map(() => sweepApprovals(database.db, 100)))).flat()
  expect(swept.filter((one) => one.id === id)).toMatchObject([
    { moved: 'expired', machineId: place.machineId },
  ])
  expect(await view(id)).toMatchObject({ state: 'expired', answeredBy: null, answeredVia: 'relay' })
  expect(await listQueuedControls(database.db, place.machineId)).toMatchObject([
    { decision: 'deny', by: 'Baton' },
  ])
})

test('what the run no longer waits for is withdrawn when the run ends, and says nothing to its machine', async () => {
  const { id, held } = await askOne()
  await end(held)
  expect(await answer(id, 'allow')).toBeNull()
  await sweepApprovals(database.db, 100)
  expect((await view(id)).state).toBe('withdrawn')
  expect(await listQueuedControls(database.db, place.machineId)).toEqual([])
})

test('a machine that denied by its own clock, or withdrew, closes what is open and nothing else', async () => {
  const { id, held } = await askOne()
  expect(await append(held, 2, { closed: [{ ask: 'ask-1', state: 'expired' }] })).toBe(true)
  expect((await view(id)).state).toBe('expired')
  const second = asked('ask-2')
  expect(await append(held, 3, { asked: [second] })).toBe(true)
  expect(await answer(second.id, 'allow')).not.toBeNull()
  expect(await append(held, 4, { closed: [{ ask: 'ask-2', state: 'withdrawn' }] })).toBe(true)
  expect((await view(second.id)).state).toBe('allowed')
})

test('a question whose end comes in the same batch is stored with its end', async () => {
  const held = await startNew()
  const ask = asked('ask-1', { state: 'expired' as never })
  expect(await append(held, 1, { asked: [ask] })).toBe(true)
  expect((await view(ask.id)).state).toBe('expired')
})

test("an answer for the job is on the job's allow-list with the same statement, once", async () => {
  const jobId = newTestId('job')
  const rules = sql`(select rules from jobs limit 1)`
  await sql`insert into jobs (id, organization_id, agent_id, key, name, prompt, limits, rules)
    values (${jobId}, ${place.organizationId}, ${place.agentId}, 'j', 'j', 'p', '{}', coalesce(${rules}, '{}'))`.execute(
    database.db,
  )
  const { held, id } = await askOne({}, { jobId, delivery: { jobId } })
  const second = asked('ask-2')
  await append(held, 2, { asked: [second] })
  const forJob = { scope: 'job', pattern: 'Bash(npm *)' }
  expect(await answer(id, 'allow', forJob)).toMatchObject({ jobId })
  expect(await answer(second.id, 'allow', forJob)).toMatchObject({ jobId })
  const job = await database.db
    .selectFrom('jobs')
    .select('approvals')
    .where('id', '=', jobId)
    .executeTakeFirstOrThrow()
  expect(job.approvals).toEqual({ allow: ['Bash(npm *)'] })
  await end(held)
  await makeDelivery(database.db, place, { jobId, delivery: { jobId } })
  const options = { sessionEpoch: place.sessionEpoch, slots: 1, leaseMs: LEASE_MS, bodyBytes: 1000 }
  const [next] = await leaseDeliveries(database.db, place.machineId, options)
  expect(next?.agent.approvals).toEqual({ mode: 'deny', expiresMs: 30 * 60_000, allow: ['Bash(npm *)'] })
})

test('what a person says is queued until its machine has it, once for its key, and lapses with the run', async () => {
  const held = await startNew()
  const say = (only = {}) =>
    insertControl(database.db, place.organizationId, held.runId, {
      id: newTestId('control'),
      kind: 'steer',
      text: 'Use pnpm.',
      idempotencyKey: 'k1',
      by: userId,
      via: 'cli',
      ...only,
    })
  const [first, again] = await Promise.all([say(), say()])
  const stored = (first ?? again)?.id
  expect((await say())?.id).toBe(stored)
  const queued = await listQueuedControls(database.db, place.machineId)
  expect(queued).toMatchObject([{ id: stored, kind: 'steer', text: 'Use pnpm.', by: 'Ada' }])
  expect(
    await acknowledgeControls(database.db, newTestId('machine'), [
      { id: queued[0]?.id as never, runId: held.runId, result: 'delivered', reason: null },
    ]),
  ).toEqual([])
  const delivered = {
    id: queued[0]?.id as never,
    runId: held.runId,
    result: 'delivered' as const,
    reason: null,
  }
  expect(await acknowledgeControls(database.db, place.machineId, [delivered])).toEqual([held.runId])
  expect(await listQueuedControls(database.db, place.machineId)).toEqual([])
  await say({ idempotencyKey: 'k2' })
  await end(held)
  await sweepApprovals(database.db, 100)
  const states = (await listControls(database.db, place.organizationId, held.runId)).map(({ state }) => state)
  expect(states.toSorted()).toEqual(['indeterminate', 'lapsed'])
  expect(await say({ idempotencyKey: 'k3' })).toBeNull()
})

test('the transcript says how far a message got', async () => {
  const held = await startNew()
  const id = newTestId('control')
  const control = {
    id,
    kind: 'steer' as const,
    text: 'x',
    idempotencyKey: null,
    by: userId,
    via: 'cli' as const,
  }
  await insertControl(database.db, place.organizationId, held.runId, control)
  expect(await append(held, 1, { steered: [{ id, state: 'consumed' }] })).toBe(true)
  expect(await listControls(database.db, place.organizationId, held.runId)).toMatchObject([
    { state: 'consumed' },
  ])
})
