import { makeDelivery, makeJob, makePlace } from '@baton/testkit'
import { expect, test } from 'vitest'
import {
  budget,
  failed,
  report,
  SENT_AT,
  today,
  useAccountPlace,
  used,
} from '../../test/support/use-account-place.ts'
import { findDeliveryFacts, freeBudgetWaits, sumUsage } from '../index.ts'

const { database, place, lease, row, change, viewOf, run, settle, setBudget } = useAccountPlace()

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
  const sum = (by: Parameters<typeof today>[0]) => sumUsage(database.db, place.organizationId, today(by))
  expect(await sum('agent')).toEqual([{ id: place.agentId, name: 'demo', ...total }])
  expect(await sum('machine')).toMatchObject([{ id: place.machineId, name: 'laptop', runs: 3 }])
  expect(await sum('day')).toMatchObject([{ id: today('day').since, runs: 3 }])
  expect(await sum('job')).toMatchObject([{ id: null, name: null, runs: 3 }])
  expect((await sum('model')).map(({ id, runs }) => [id, runs])).toEqual([
    ['small', 1],
    ['big', 2],
  ])
  const stranger = await makePlace(database.db)
  expect(await sumUsage(database.db, stranger.organizationId, today('agent'))).toEqual([])
})

test('runs that end together in one report are summed together', async () => {
  await Promise.all([1, 2, 3].map(() => makeDelivery(database.db, place)))
  const held = [await run(), await run(), await run()]
  expect(await settle(...held.map((one) => report(one, { usage: used(10, 0.1) })))).toHaveLength(3)
  const [total] = await sumUsage(database.db, place.organizationId, today('agent'))
  expect(total).toMatchObject({ runs: 3, inputTokens: 30 })
})

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
  const jobId = await makeJob(database.db, place, { budget: budget({ dayTokens: 5 }) })
  await makeDelivery(database.db, place, { jobId, delivery: { jobId } })
  const held = await run()
  expect(held.leased.budget.dayTokens).toBe(5)
  await settle(report(held, { usage: used(9, null) }))
  const waits = await makeDelivery(database.db, place, { jobId, delivery: { jobId } })
  const passes = await makeDelivery(database.db, place)
  expect((await lease()).map((one) => one.id)).toEqual([passes.id])
  const facts = await findDeliveryFacts(database.db, place.organizationId, waits.id)
  expect(facts).toMatchObject({ isJobSpent: true, agent: { isSpent: false } })
  expect(await sumUsage(database.db, place.organizationId, today('job'))).toMatchObject([
    { id: jobId, name: jobId, inputTokens: 9 },
  ])
})
