import type { RuntimeProbe } from '@baton/protocol'
import { LIMITS, makeDelivery, makePlace, refOf } from '@baton/testkit'
import { expect, test } from 'vitest'
import {
  failed,
  inMs,
  report,
  SENT_AT,
  today,
  useAccountPlace,
  used,
} from '../../test/support/use-account-place.ts'
import {
  findDeliveryFacts,
  helloMachine,
  listAgentSessions,
  moveDelivery,
  refuseDeliveries,
  setAgentSecret,
  sumUsage,
  unblockAgent,
} from '../index.ts'

const { database, place, lease, row, agentRow, change, viewOf, conversationRules, run, settle, otherAgent } =
  useAccountPlace()

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
  const [total] = await sumUsage(database.db, place.organizationId, today('agent'))
  expect(total).toMatchObject({ runs: 1, costUsd: 0.5 })
})
