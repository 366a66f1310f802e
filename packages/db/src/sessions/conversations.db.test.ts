import { LIMITS, makeDelivery, makePlace, type Place } from '@baton/testkit'
import { expect, test } from 'vitest'
import { failed, report, useAccountPlace } from '../../test/support/use-account-place.ts'
import {
  forgetAgentSession,
  listAgentSessions,
  moveDelivery,
  openConversationOfRun,
  sweepDeliveries,
} from '../index.ts'

const { database, place, lease, row, change, conversationRules, run, settle, otherAgent } = useAccountPlace()

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
