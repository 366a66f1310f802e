import { randomUUID } from 'node:crypto'
import type { AgentId, Budget, LeaseRef, RuntimeProbe, SettleReport, Usage } from '@baton/protocol'
import { LIMITS, makeDelivery, makePlace, newTestId, type Place, useTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { ofMachine } from '../deliveries/of-machine.ts'
import {
  acceptDeliveries,
  type DeliveryRules,
  findDeliveryFacts,
  forgetAgentSession,
  freeBudgetWaits,
  helloMachine,
  leaseDeliveries,
  listAgentSessions,
  listAgentViews,
  moveDelivery,
  openConversationOfRun,
  refuseDeliveries,
  setAgentSecret,
  settleRuns,
  startRuns,
  sumUsage,
  sweepDeliveries,
  unblockAgent,
  updateAgent,
} from '../index.ts'

const LEASE_MS = 30_000
const SENT_AT = 1_000_000
const database = useTestDatabase()
let place: Place

beforeEach(async () => {
  place = await makePlace(database.db)
})

const lease = (slots = 10, at = place) =>
  leaseDeliveries(database.db, at.machineId, {
    sessionEpoch: at.sessionEpoch,
    slots,
    leaseMs: LEASE_MS,
    bodyBytes: 0,
  })
const refOf = ({ id, runId, fence }: Awaited<ReturnType<typeof lease>>[number]): LeaseRef => ({
  deliveryId: id,
  runId,
  fence,
})
const row = (id: string) =>
  database.db
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '=', id as never)
    .executeTakeFirstOrThrow()
const agentRow = (id: AgentId = place.agentId) =>
  database.db.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const change = (text: string) => sql.raw(text).execute(database.db)
const viewOf = async (id: AgentId = place.agentId) =>
  (await listAgentViews(database.db, place.organizationId, { idOrKey: id }))[0]
const conversationRules = (conversation: string | null): DeliveryRules => ({
  priority: 0,
  delayMs: 0,
  ttlMs: null,
  stallMs: null,
  concurrencyKey: conversation && `conversation:${place.agentId}:${conversation}`,
  concurrencyLimit: conversation === null ? null : 1,
  overlap: 'queue',
  overlapKey: null,
  conversation,
})

/** The next delivery as a running run in a folder. */
async function run(folder = '/w') {
  const [leased] = await lease(1)
  if (!leased) throw new Error('Nothing was leased.')
  const ref = refOf(leased)
  await acceptDeliveries(database.db, ofMachine(place.machineId, [ref]), LEASE_MS)
  await startRuns(
    database.db,
    ofMachine(place.machineId, [{ ...ref, agoMs: 5, workspace: folder }]),
    LEASE_MS,
  )
  return { ...ref, leased }
}

const report = (ref: LeaseRef, only: Partial<SettleReport> = {}): SettleReport => ({
  deliveryId: ref.deliveryId,
  runId: ref.runId,
  fence: ref.fence,
  finishKey: randomUUID(),
  state: 'succeeded',
  outcome: 'done',
  errorKind: null,
  message: null,
  exitCode: 0,
  signal: null,
  sessionId: null,
  usage: null,
  result: null,
  quotaUntil: null,
  changes: null,
  spawn: null,
  killProof: null,
  finalSeq: 0,
  finalHash: '0'.repeat(64),
  startedAt: SENT_AT - 500,
  firstOutputAt: SENT_AT - 400,
  finishedAt: SENT_AT - 100,
  ...only,
})
const settle = async (...reports: SettleReport[]) =>
  (
    await settleRuns(database.db, ofMachine(place.machineId, reports, { sentAt: SENT_AT }), {
      retryBaseMs: 0,
    })
  ).map(({ result }) => result)
const failed = (errorKind: SettleReport['errorKind'], only: Partial<SettleReport> = {}) => ({
  state: 'failed' as const,
  outcome: 'error' as const,
  errorKind,
  message: `It said ${errorKind}.`,
  ...only,
})
const inMs = (at: Date | null) => (at?.getTime() ?? 0) - Date.now()
const used = (inputTokens: number, costUsd: number | null, model: string | null = 'big'): Usage => ({
  inputTokens,
  outputTokens: 10,
  cachedTokens: 5,
  costUsd,
  model,
})
/** Another agent on the same machine. */
async function otherAgent(only: Record<string, unknown> = {}): Promise<AgentId> {
  const id = newTestId('agent')
  const own = await agentRow()
  const made = { ...own, id, key: id.slice(-8), ...only, created_at: new Date() }
  await database.db
    .insertInto('agents')
    .values(made as never)
    .execute()
  return id
}

test('a used-up account parks its work until the reported time and uses no attempt', async () => {
  const { id } = await makeDelivery(database.db, place)
  const held = await run()
  const left = await row(id).then((d) => d.max_attempts - d.attempt)
  const end = report(held, failed('quota', { quotaUntil: SENT_AT + 3_600_000, sessionId: 's-1' }))
  expect(await settle(end)).toEqual(['settled'])
  expect(await settle(end)).toEqual(['already'])
  const parked = await row(id)
  expect(parked).toMatchObject({ state: 'parked', reason: 'quota', nudge: true, finished_at: null })
  expect(inMs(parked.parked_until)).toBeGreaterThan(3_595_000)
  expect(inMs(parked.parked_until)).toBeLessThan(3_635_000)
  expect(parked.max_attempts - parked.attempt).toBe(left + 1)
})

test('work that is parked by a quota again and again never uses its attempts up', async () => {
  const { id } = await makeDelivery(database.db, place, {
    delivery: { limits: { ...LIMITS, maxAttempts: 2, repeatable: true } },
  })
  for (let round = 0; round < 6; round++) {
    const held = await run()
    expect(await settle(report(held, failed('quota', { quotaUntil: SENT_AT + 60_000 })))).toEqual(['settled'])
    const { state, attempt, max_attempts } = await row(id)
    expect({ state, left: max_attempts - attempt }).toEqual({ state: 'parked', left: 2 })
    await unblockAgent(database.db, place.organizationId, place.agentId)
  }
  for (const expected of ['parked', 'dead']) {
    const held = await run()
    await settle(report(held, failed('crashed')))
    expect((await row(id)).state).toBe(expected)
    await change(
      `update deliveries set state = 'pending', parked_until = null where id = '${id}' and state = 'parked'`,
    )
  }
})

test('a clock that is far off parks nothing for years', async () => {
  const { id } = await makeDelivery(database.db, place)
  await settle(report(await run(), failed('quota', { quotaUntil: SENT_AT + 1e12 })))
  expect(inMs((await row(id)).parked_until)).toBeLessThan(9 * 86_400_000)
})

test('an account that does not say until when rests longer each time in a row, up to four hours', async () => {
  const minutes: number[] = []
  for (let round = 0; round < 7; round++) {
    await makeDelivery(database.db, place)
    await settle(report(await run(), failed('quota')))
    minutes.push(Math.round(inMs((await agentRow()).blocked_until) / 60_000))
    await change(`update agents set blocked_until = now() where id = '${place.agentId}'`)
  }
  expect(minutes).toEqual([15, 30, 60, 120, 240, 240, 240])
  await makeDelivery(database.db, place)
  await settle(report(await run(), { usage: used(1, null) }))
  expect((await agentRow()).quota_strikes).toBe(0)
})

test('several runs that meet the same limit count as one time', async () => {
  await Promise.all([1, 2, 3].map(() => makeDelivery(database.db, place)))
  const held = [await run(), await run(), await run()]
  for (const one of held) await settle(report(one, failed('quota')))
  expect((await agentRow()).quota_strikes).toBe(1)
  expect(Math.round(inMs((await agentRow()).blocked_until) / 60_000)).toBe(15)
})

test('an account is all agents of one CLI on a machine, but one with secrets of its own', async () => {
  const same = await otherAgent()
  const another = await otherAgent({ command: 'another' })
  const own = await otherAgent()
  await setAgentSecret(database.db, place.organizationId, { agentId: own, name: 'KEY', sealed: 'x' })
  await makeDelivery(database.db, place)
  await settle(report(await run(), failed('quota', { quotaUntil: SENT_AT + 60_000 })))
  for (const agentId of [same, another, own])
    await makeDelivery(database.db, place, { delivery: { agentId } })
  expect((await lease()).map((one) => one.agentId).toSorted()).toEqual([another, own].toSorted())
  expect(await viewOf(same)).toMatchObject({
    state: 'offline',
    blocked: { reason: 'quota', message: 'It said quota.' },
  })
})

test('what waits for an account says so, and goes on by itself when the time has come', async () => {
  await makeDelivery(database.db, place)
  await settle(report(await run(), failed('quota', { quotaUntil: SENT_AT + 60_000 })))
  const { id } = await makeDelivery(database.db, place)
  expect(await lease()).toEqual([])
  const facts = await findDeliveryFacts(database.db, place.organizationId, id)
  expect(facts?.agent.blocked).toMatchObject({ reason: 'quota', message: 'It said quota.' })
  expect(facts?.isNext).toBe(false)
  await change(`update agents set blocked_until = now() - interval '1 s' where id = '${place.agentId}'`)
  expect((await findDeliveryFacts(database.db, place.organizationId, id))?.agent.blocked).toBeNull()
  expect((await lease()).map((one) => one.id)).toEqual([id])
})

test('a person who resumes the agent frees its account and what was parked for it', async () => {
  const same = await otherAgent()
  const { id } = await makeDelivery(database.db, place)
  await settle(report(await run(), failed('quota', { quotaUntil: SENT_AT + 60_000 })))
  expect(await unblockAgent(database.db, place.organizationId, same)).toBe(place.machineId)
  expect((await row(id)).state).toBe('pending')
  expect(await agentRow()).toMatchObject({ blocked_reason: null, blocked_until: null })
  const stranger = await makePlace(database.db)
  expect(await unblockAgent(database.db, stranger.organizationId, same)).toBeNull()
})

test('a missing sign-in stops the agent: its work waits instead of failing one by one', async () => {
  const [first, second] = [await makeDelivery(database.db, place), await makeDelivery(database.db, place)]
  const held = await run()
  await settle(report(held, failed('not_signed_in')))
  const given = await row(held.deliveryId)
  expect(given).toMatchObject({ state: 'pending', attempt: 1, max_attempts: 4, accepted_at: null })
  const states = await Promise.all([first, second].map(async ({ id }) => (await row(id)).state))
  expect(states).toEqual(['pending', 'pending'])
  expect(await lease()).toEqual([])
  expect(await agentRow()).toMatchObject({ blocked_reason: 'not_signed_in', blocked_until: null })
  await unblockAgent(database.db, place.organizationId, place.agentId)
  expect(await lease()).toHaveLength(2)
})

test('an agent that cannot even be started without a sign-in is stopped as well', async () => {
  const { id } = await makeDelivery(database.db, place)
  const [leased] = await lease()
  if (!leased) throw new Error('nothing leased')
  const refusal = { errorKind: 'not_signed_in' as const, message: 'No key.', final: true, retryAfterMs: 0 }
  await refuseDeliveries(database.db, place.machineId, [{ ...refOf(leased), ...refusal }])
  expect(await row(id)).toMatchObject({ state: 'pending', attempt: 0, reason: 'not_signed_in' })
  expect(await agentRow()).toMatchObject({ blocked_reason: 'not_signed_in', blocked_message: 'No key.' })
})

test('a new probe that says signed in lets the agent work again, a mere reconnect does not', async () => {
  await change(`update agents set runtime = 'claude', command = null where id = '${place.agentId}'`)
  const probe: RuntimeProbe = {
    runtime: 'claude',
    installed: true,
    version: '1',
    path: '/c',
    signedIn: 'yes',
    detail: 'Signed in.',
    commands: [],
    capabilities: [],
  }
  const hello = (instanceId: string, runtimes: RuntimeProbe[]) =>
    helloMachine(
      database.db,
      place.machineId,
      {
        instanceId,
        bootId: 'boot',
        protocolVersion: 1,
        runnerVersion: '1',
        hostname: 'h',
        os: 'linux',
        arch: 'x64',
        slots: 5,
        takeover: false,
        held: [],
        runtimes,
        facts: null,
      },
      1_000,
    )
  await hello('installation.one', [probe])
  await makeDelivery(database.db, place)
  await settle(report(await run(), failed('not_signed_in')))
  await hello('installation.one', [probe])
  expect((await agentRow()).blocked_reason).toBe('not_signed_in')
  await hello('installation.one', [{ ...probe, signedIn: 'no' }])
  expect((await agentRow()).blocked_reason).toBe('not_signed_in')
  await hello('installation.one', [probe])
  expect((await agentRow()).blocked_reason).toBeNull()
  await settle(report(await run(), failed('not_signed_in')))
  await hello('installation.two', [probe])
  expect((await agentRow()).blocked_reason).toBeNull()
})

test('a cancel that was asked for ends work that would wait for its account', async () => {
  const { id } = await makeDelivery(database.db, place)
  const held = await run()
  await change(`update deliveries set cancel_requested_at = now() where id = '${id}'`)
  await settle(report(held, failed('quota')))
  expect((await row(id)).state).toBe('failed')
})

test('the report of an older attempt blocks nothing and keeps no conversation', async () => {
  const { id } = await makeDelivery(database.db, place, { delivery: { rules: conversationRules('c') } })
  const old = await run()
  await change(`update deliveries set state = 'stalled', lease_expires_at = null where id = '${id}'`)
  const to = { agentId: place.agentId, machineId: place.machineId, workspace: null, lane: null }
  expect(await moveDelivery(database.db, place.organizationId, id, to)).not.toBeNull()
  const late = report(old, failed('quota', { sessionId: 'old', usage: used(7, 0.5) }))
  expect(await settle(late)).toEqual(['superseded'])
  expect((await agentRow()).blocked_reason).toBeNull()
  expect(await listAgentSessions(database.db, place.organizationId)).toEqual([])
  const [total] = await sumUsage(database.db, place.organizationId, days('agent'))
  expect(total).toMatchObject({ runs: 1, costUsd: 0.5 })
})

test('runs of one conversation go on with its session, one after the other', async () => {
  const rules = conversationRules('review-42')
  await makeDelivery(database.db, place, { delivery: { rules } })
  await makeDelivery(database.db, place, { delivery: { rules } })
  const held = await run('/repo')
  expect(held.leased).toMatchObject({ session: null, conversation: 'review-42' })
  expect(await lease()).toEqual([])
  await settle(report(held, { sessionId: 's-1' }))
  const next = await run()
  expect(next.leased).toMatchObject({ session: { id: 's-1', cwd: '/repo' }, nudge: false })
})

test('a conversation that is gone is started afresh once, without using an attempt', async () => {
  const rules = conversationRules('c')
  await makeDelivery(database.db, place, { delivery: { rules } })
  await settle(report(await run(), { sessionId: 's-1' }))
  const { id } = await makeDelivery(database.db, place, { delivery: { rules } })
  const held = await run()
  await settle(report(held, failed('session_lost', { sessionId: 's-1' })))
  expect(await row(id)).toMatchObject({ state: 'pending', attempt: 1, max_attempts: 4, recovered: true })
  expect(await listAgentSessions(database.db, place.organizationId)).toEqual([])
  const again = await run()
  expect(again.leased.session).toBeNull()
  await settle(report(again, failed('session_lost')))
  expect((await row(id)).state).toBe('failed')
})

test('a repeatable run whose session began before an API error is nudged to go on', async () => {
  const { id } = await makeDelivery(database.db, place, {
    delivery: { limits: { ...LIMITS, repeatable: true } },
  })
  await settle(report(await run('/here'), failed('api_error', { sessionId: 's-9' })))
  await change(`update deliveries set parked_until = now() where id = '${id}'`)
  await sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 10 })
  const again = await run()
  expect(again.leased).toMatchObject({ nudge: true, session: { id: 's-9', cwd: '/here' }, attempt: 2 })
  await settle(report(again, failed('crashed', { sessionId: 's-9' })))
  expect(await row(id)).toMatchObject({ state: 'parked', nudge: false })
})

test('work that is given to another agent starts with its prompt again', async () => {
  const agentId = await otherAgent({ command: 'another' })
  const { id } = await makeDelivery(database.db, place)
  await settle(report(await run(), failed('quota', { sessionId: 's' })))
  await moveDelivery(database.db, place.organizationId, id, {
    agentId,
    machineId: place.machineId,
    workspace: null,
    lane: null,
  })
  expect((await lease())[0]).toMatchObject({ id, nudge: false, session: null })
})

test('a run without a conversation can be gone on with, and forgotten, by its own organization alone', async () => {
  await makeDelivery(database.db, place)
  const held = await run('/f')
  expect(await openConversationOfRun(database.db, place.organizationId, held.runId)).toBe(false)
  await settle(report(held, { sessionId: 's-3' }))
  const stranger = await makePlace(database.db)
  expect(await openConversationOfRun(database.db, stranger.organizationId, held.runId)).toBe(false)
  expect(await openConversationOfRun(database.db, place.organizationId, held.runId)).toBe(true)
  expect(await openConversationOfRun(database.db, place.organizationId, held.runId)).toBe(true)
  expect(await listAgentSessions(database.db, place.organizationId)).toMatchObject([
    { conversation: held.runId, sessionId: 's-3', cwd: '/f' },
  ])
  const forget = (organizationId: Place['organizationId']) =>
    forgetAgentSession(database.db, organizationId, place.agentId, held.runId)
  expect([await forget(stranger.organizationId), await forget(place.organizationId)]).toEqual([false, true])
})

const days = (by: 'agent' | 'job' | 'model' | 'day' | 'machine') => {
  const today = new Date().toISOString().slice(0, 10)
  return { by, since: today, until: today }
}

test('what runs used is summed by agent, job, model, machine and day, each run once', async () => {
  for (const one of [used(100, 0.25), used(50, null), used(1, 1, 'small')]) {
    await makeDelivery(database.db, place)
    const end = report(await run(), { usage: one })
    await settle(end)
    await settle(end)
  }
  await makeDelivery(database.db, place)
  await settle(report(await run()))
  const total = {
    runs: 3,
    runsWithoutCost: 1,
    inputTokens: 151,
    outputTokens: 30,
    cachedTokens: 15,
    costUsd: 1.25,
  }
  const sum = (by: Parameters<typeof days>[0]) => sumUsage(database.db, place.organizationId, days(by))
  expect(await sum('agent')).toEqual([{ id: place.agentId, name: 'demo', ...total }])
  expect(await sum('machine')).toMatchObject([{ id: place.machineId, name: 'laptop', runs: 3 }])
  expect(await sum('day')).toMatchObject([{ id: days('day').since, runs: 3 }])
  expect(await sum('job')).toMatchObject([{ id: null, name: null, runs: 3 }])
  expect((await sum('model')).map(({ id, runs }) => [id, runs])).toEqual([
    ['small', 1],
    ['big', 2],
  ])
  const stranger = await makePlace(database.db)
  expect(await sumUsage(database.db, stranger.organizationId, days('agent'))).toEqual([])
})

test('runs that end together in one report are summed together', async () => {
  await Promise.all([1, 2, 3].map(() => makeDelivery(database.db, place)))
  const held = [await run(), await run(), await run()]
  expect(await settle(...held.map((one) => report(one, { usage: used(10, 0.1) })))).toHaveLength(3)
  const [total] = await sumUsage(database.db, place.organizationId, days('agent'))
  expect(total).toMatchObject({ runs: 3, inputTokens: 30 })
})

const budget = (only: Partial<Budget>): Budget => ({
  runUsd: null,
  runTokens: null,
  dayUsd: null,
  dayTokens: null,
  ...only,
})
const setBudget = (only: Partial<Budget> | null) =>
  updateAgent(database.db, place.organizationId, place.agentId, { budget: only && budget(only) })

test('a budget of the day holds what waits until it is raised, and a run is told what is left of it', async () => {
  await setBudget({ dayUsd: 1, runUsd: 5 })
  await makeDelivery(database.db, place)
  const held = await run()
  expect(held.leased.budget).toMatchObject({ runUsd: 5, dayUsd: 1 })
  await settle(report(held, { usage: used(1, 0.4) }))
  await makeDelivery(database.db, place)
  const next = await run()
  expect(next.leased.budget.dayUsd).toBeCloseTo(0.6)
  await settle(report(next, { usage: used(1, 0.7) }))
  const { id } = await makeDelivery(database.db, place)
  expect(await lease()).toEqual([])
  expect((await findDeliveryFacts(database.db, place.organizationId, id))?.agent.isSpent).toBe(true)
  expect((await viewOf())?.blocked).toMatchObject({ reason: 'budget', until: expect.any(Number) })
  await setBudget({ dayUsd: 2 })
  expect((await lease()).map((one) => one.id)).toEqual([id])
  expect((await viewOf())?.blocked).toBeNull()
})

test('a budget of yesterday holds nothing today', async () => {
  await setBudget({ dayTokens: 10 })
  await makeDelivery(database.db, place)
  await settle(report(await run(), { usage: used(100, null) }))
  await makeDelivery(database.db, place)
  expect(await lease()).toEqual([])
  await change(`update usage_days set day = day - 1 where agent_id = '${place.agentId}'`)
  expect(await lease()).toHaveLength(1)
})

test('a run that the budget of the day interrupted goes on the next day, or when the budget is raised', async () => {
  await setBudget({ dayUsd: 1 })
  const { id } = await makeDelivery(database.db, place)
  const end = failed('budget', { quotaUntil: SENT_AT + 1_000, sessionId: 's', usage: used(5, 1.1) })
  await settle(report(await run(), end))
  const parked = await row(id)
  expect(parked).toMatchObject({
    state: 'parked',
    reason: 'budget',
    nudge: true,
    attempt: 1,
    max_attempts: 4,
  })
  const midnight = new Date().setUTCHours(24, 0, 0, 0)
  expect((parked.parked_until?.getTime() ?? 0) - midnight).toBeGreaterThanOrEqual(0)
  expect((parked.parked_until?.getTime() ?? 0) - midnight).toBeLessThan(31_000)
  await setBudget(null)
  await freeBudgetWaits(database.db, place.organizationId, { agentId: place.agentId })
  expect((await lease())[0]).toMatchObject({ id, nudge: true })
})

test('a run that used up its own budget has failed', async () => {
  const { id } = await makeDelivery(database.db, place)
  await settle(report(await run(), failed('budget', { usage: used(5, 1.1) })))
  expect(await row(id)).toMatchObject({ state: 'failed', reason: 'budget' })
})

test("a job's budget of the day holds its own work and lets other work pass", async () => {
  const jobId = newTestId('job')
  await database.db
    .insertInto('jobs')
    .values({
      id: jobId,
      organization_id: place.organizationId,
      agent_id: place.agentId,
      key: jobId.slice(-8),
      name: 'Job',
      prompt: 'p',
      limits: LIMITS,
      rules: {} as never,
      budget: budget({ dayTokens: 5 }),
    } as never)
    .execute()
  await makeDelivery(database.db, place, { jobId, delivery: { jobId } })
  const held = await run()
  expect(held.leased.budget.dayTokens).toBe(5)
  await settle(report(held, { usage: used(9, null) }))
  const waits = await makeDelivery(database.db, place, { jobId, delivery: { jobId } })
  const passes = await makeDelivery(database.db, place)
  expect((await lease()).map((one) => one.id)).toEqual([passes.id])
  const facts = await findDeliveryFacts(database.db, place.organizationId, waits.id)
  expect(facts).toMatchObject({ isJobSpent: true, agent: { isSpent: false } })
  expect(await sumUsage(database.db, place.organizationId, days('job'))).toMatchObject([
    { id: jobId, name: jobId.slice(-8), inputTokens: 9 },
  ])
})
