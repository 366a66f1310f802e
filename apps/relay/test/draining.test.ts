import type { PushedDelivery } from '@baton/protocol'
import { connectApi, connectWireRunner, eventually, startTestRelay, type TestRelay } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

let relay: TestRelay
let api: ReturnType<typeof apiOf>
let machineKey: string

const apiOf = (token: string) => connectApi(relay.url, token)

beforeAll(async () => {
  relay = await startTestRelay()
  const made = await relay.setup<{ token: string; machineKey: string }>({
    machineName: 'laptop',
    wantMachineKey: true,
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo', workspace: 'scratch' }],
  })
  api = apiOf(made.token)
  machineKey = made.machineKey
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
})

const ask = (prompt: string, agent = 'demo') => api.runs.create.mutate({ agent, prompt })

test('a drained machine takes no new work, says so everywhere, and takes what waited when it is resumed', async () => {
  await using runner = await connectWireRunner(relay.url, machineKey)
  const pushed: PushedDelivery[] = []
  runner.subscribe({ slots: 5, onPush: (push) => void pushed.push(...push.deliveries) })
  await ask('before')
  await eventually(() => expect(pushed).toHaveLength(1))

  const drained = await api.machines.drain.mutate({ id: 'laptop' })
  expect(drained).toMatchObject({ state: 'draining', live: 1, drainingAt: expect.any(Number) })
  expect(await api.machines.drain.mutate({ id: 'laptop' })).toEqual(drained)
  const { runId } = await ask('while it drains')
  const why = await api.why.explain.query({ id: runId })
  expect(why.conditions).toEqual([
    expect.objectContaining({
      code: 'machine_draining',
      since: drained.drainingAt,
      command: 'baton machine resume laptop',
    }),
  ])
  for (const id of ['laptop', 'demo'])
    expect((await api.why.explain.query({ id })).conditions.map(({ code }) => code)).toEqual([
      'machine_draining',
    ])
  // It looks again, and is offered nothing.
  await runner.api.runner.offer.mutate({ slots: 1 })
  expect(await api.runs.get.query({ id: runId })).toMatchObject({
    deliveryState: 'pending',
    status: 'queued',
    sentence: 'laptop is draining; it starts when that machine takes work again.',
  })
  expect(pushed).toHaveLength(1)

  expect(await api.machines.resume.mutate({ id: 'laptop' })).toMatchObject({
    state: 'online',
    drainingAt: null,
  })
  await eventually(() => expect(pushed.map((one) => one.runId)).toContain(runId))
})

test('auto passes over the agents of a drained machine, and a drained machine that is away says both', async () => {
  const { machine, key } = await api.machines.create.mutate({ name: 'other' })
  const spare = { machineId: machine.id, runtime: 'command', command: 'demo' } as const
  await api.agents.create.mutate({ key: 'spare', ...spare })
  await using _ = await connectWireRunner(relay.url, machineKey, { takeover: true })
  await using runner = await connectWireRunner(relay.url, key)
  await api.machines.drain.mutate({ id: 'laptop' })
  expect((await ask('anybody', 'auto')).agent.key).toBe('spare')
  await api.machines.resume.mutate({ id: 'laptop' })
  await api.machines.drain.mutate({ id: machine.id })
  const { runId, agent } = await ask('anybody', 'auto')
  expect(agent.key).toBe('demo')
  expect((await api.why.explain.query({ id: runId })).conditions).not.toContainEqual(
    expect.objectContaining({ code: 'machine_draining' }),
  )

  runner.subscribe({ slots: 1, onPush: () => {} })
  await eventually(async () => {
    await runner.api.runner.goodbye.mutate({ cause: 'stopped' })
    expect(await api.machines.get.query({ id: 'other' })).toMatchObject({
      state: 'offline',
      cause: expect.stringContaining('It takes no new work then, either.'),
    })
  })
  const waiting = await ask('nobody takes this', 'spare')
  for (const id of [machine.id, waiting.runId]) {
    const { conditions } = await api.why.explain.query({ id })
    expect(conditions.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['machine_offline', 'machine_draining']),
    )
  }
})

test('a stranger can neither drain nor resume a machine, and is told nothing about it', async () => {
  const other = await relay.setup<{ token: string }>({ organization: 'other', wantToken: true })
  const stranger = apiOf(other.token)
  const { id } = await api.machines.get.query({ id: 'laptop' })
  for (const call of [stranger.machines.drain, stranger.machines.resume]) {
    await expect(call.mutate({ id })).rejects.toMatchObject({ data: { batonCode: 'not_found' } })
    await expect(call.mutate({ id: 'laptop' })).rejects.toMatchObject({ data: { batonCode: 'not_found' } })
  }
})
