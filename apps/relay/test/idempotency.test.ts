import { connectApi, startTestRelay, type TestRelay, type WireApi } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

let relay: TestRelay
let api: WireApi
let machineId: string

beforeAll(async () => {
  relay = await startTestRelay()
  const made = await relay.setup<{ token: string; machineId: string }>({
    machineName: 'laptop',
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })
  machineId = made.machineId
  api = connectApi(relay.url, made.token)
}, 60_000)
afterAll(() => relay?.[Symbol.asyncDispose]())

const conflict = { data: { batonCode: 'conflict' } }

test('the same run asked for again is the first one, though its agent is paused and another would be chosen now', async () => {
  const ask = { prompt: 'go', agent: 'auto', idempotencyKey: 'first' }
  const [one, two] = await Promise.all([api.runs.create.mutate(ask), api.runs.create.mutate(ask)])
  expect(two).toEqual(one)
  expect(one.agent.key).toBe('demo')
  await api.agents.pause.mutate({ id: 'demo' })
  await api.agents.create.mutate({ key: 'spare', machineId, runtime: 'command', command: 'demo' })
  expect(await api.runs.create.mutate(ask)).toEqual(one)
  await api.agents.resume.mutate({ id: 'demo' })
})

test.for([
  ['prompt', { prompt: 'stop' }],
  ['limits', { limits: { maxAttempts: 2 } }],
  ['rules', { rules: { priority: 5 } }],
  ['workspace', { workspace: '/elsewhere' }],
] as const)('one key for two runs with another %s is a conflict', async ([name, change]) => {
  const ask = { prompt: 'go', agent: 'demo', idempotencyKey: `other-${name}` }
  await api.runs.create.mutate(ask)
  await expect(api.runs.create.mutate({ ...ask, ...change })).rejects.toMatchObject(conflict)
})

test('a job fired again under its key answers the first run when the job was changed and switched off since', async () => {
  await api.jobs.create.mutate({ key: 'fix', agent: 'demo', prompt: 'x' })
  const ask = { id: 'fix', payload: { a: 1 }, idempotencyKey: 'fired' }
  const first = await api.jobs.run.mutate(ask)
  await api.jobs.update.mutate({ id: 'fix', agent: 'spare' })
  expect(await api.jobs.run.mutate(ask)).toEqual(first)
  await api.jobs.disable.mutate({ id: 'fix' })
  expect(await api.jobs.run.mutate(ask)).toEqual(first)
  await expect(api.jobs.run.mutate({ ...ask, payload: { a: 2 } })).rejects.toMatchObject(conflict)
})

test('one key for repeats of two runs, or of two events, is a conflict', async () => {
  const make = () => api.runs.create.mutate({ prompt: 'go', agent: 'demo' })
  const [one, two] = [await make(), await make()]
  const again = await api.runs.again.mutate({ id: one.runId, idempotencyKey: 'again' })
  expect(await api.runs.again.mutate({ id: one.runId, idempotencyKey: 'again' })).toEqual(again)
  await expect(api.runs.again.mutate({ id: two.runId, idempotencyKey: 'again' })).rejects.toMatchObject(
    conflict,
  )
  await api.jobs.create.mutate({ key: 'replayed', agent: 'demo', prompt: 'x' })
  const fire = () => api.jobs.run.mutate({ id: 'replayed', payload: 'same' })
  const [event, other] = [await fire(), await fire()]
  const replay = (id: string) => api.events.replay.mutate({ id, idempotencyKey: 'replay' })
  expect(await replay(event.eventId)).toEqual(await replay(event.eventId))
  await expect(replay(other.eventId)).rejects.toMatchObject(conflict)
})
