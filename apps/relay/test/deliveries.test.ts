import { connect, sql } from '@baton/db'
import { encodeRunEvent, type PushedDelivery } from '@baton/protocol'
import type { AppRouter } from '@baton/relay'
import {
  connectApi,
  connectWireRunner,
  eventually,
  leaseOf,
  startTestRelay,
  type TestRelay,
  wireHello,
  wireRun,
} from '@baton/testkit'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collectPushes } from './support/collect-pushes.ts'

let relay: TestRelay
let token: string
let api: ReturnType<typeof apiOf>

beforeAll(async () => {
  relay = await startTestRelay()
  token = (await relay.setup<{ token: string }>({ wantToken: true })).token
  api = apiOf(relay.url)
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
})

const apiOf = (url: string) => connectApi(url, token)

let machines = 0
/** A machine of its own for each test, with one agent whose runs have scratch workspaces. */
async function makeMachine() {
  const { machine, key } = await api.machines.create.mutate({ name: `laptop-${++machines}` })
  const agent = await api.agents.create.mutate({
    key: `demo-${machines}`,
    machineId: machine.id,
    runtime: 'command',
    command: 'demo',
    workspace: 'scratch',
  })
  const fire = (prompt = 'do it', only: object = {}) =>
    api.runs.create.mutate({ agent: agent.key, prompt, ...only })
  return { machine, key, agent, fire }
}

test('a delivery is pushed to its connected runner, accepted, run and settled, and its page tells all of it', async () => {
  const { key, fire } = await makeMachine()
  await using runner = await connectWireRunner(relay.url, key)
  const seen = collectPushes()
  runner.subscribe({ slots: 2, ...seen })
  const { runId, deliveryId } = await fire('write a poem')
  const [delivery] = await seen.next(1)
  if (!delivery) throw new Error('nothing was pushed')
  expect(delivery).toMatchObject({
    deliveryId,
    runId,
    prompt: 'write a poem',
    attempt: 1,
    workspace: { scratch: true },
  })
  const lease = leaseOf(delivery)
  expect(await runner.api.runner.accept.mutate({ deliveries: [lease] })).toEqual([
    { deliveryId, ok: true, reason: null },
  ])
  expect((await api.runs.get.query({ id: runId })).status).toBe('starting')
  await runner.api.runner.start.mutate({
    sentAt: Date.now(),
    runs: [{ ...lease, startedAt: Date.now(), workspace: '/tmp/w' }],
  })
  expect((await api.runs.get.query({ id: deliveryId })).status).toBe('running')
  const { events, settle } = wireRun(lease, [
    { type: 'consumed' },
    { type: 'message', role: 'assistant', text: 'Rosen sind rot 🌹' },
  ])
  const append = { runId, fence: lease.fence, fromSeq: 1, events }
  expect(await runner.api.runner.append.mutate(append)).toEqual({ ackedSeq: 2, result: 'stored' })
  expect(await runner.api.runner.append.mutate(append)).toEqual({ ackedSeq: 2, result: 'repeat' })
  expect(await runner.api.runner.append.mutate({ ...append, fromSeq: 9 })).toEqual({
    ackedSeq: 2,
    result: 'gap',
  })
  const request = { sentAt: Date.now(), runs: [settle] }
  expect((await runner.api.runner.settle.mutate(request))[0]?.result).toBe('settled')
  expect((await runner.api.runner.settle.mutate(request))[0]?.result).toBe('already')
  const run = await api.runs.get.query({ id: runId })
  expect(run).toMatchObject({
    status: 'done',
    outcome: 'done',
    result: 'ok',
    transcript: { complete: true, events: 2 },
  })
  expect(Object.values(run.ladder).every((at) => at !== null)).toBe(true)
})

test('work that came while nobody was connected is pushed when the runner comes, never more than its slots', async () => {
  const { key, fire } = await makeMachine()
  for (let i = 0; i < 5; i++) await fire()
  await using runner = await connectWireRunner(relay.url, key)
  const seen = collectPushes()
  runner.subscribe({ slots: 2, ...seen })
  const first = await seen.next(2)
  await runner.api.runner.accept.mutate({ deliveries: first.map(leaseOf) })
  expect(seen.deliveries()).toHaveLength(2)
  await runner.api.runner.offer.mutate({ slots: 3 })
  expect(new Set((await seen.next(5)).map((d) => d.deliveryId)).size).toBe(5)
})

test('a lease that was pushed into a dead socket is pushed again under the same fence', async () => {
  const { key, fire } = await makeMachine()
  const lost = await connectWireRunner(relay.url, key, { instanceId: 'install1.1' })
  const before = collectPushes()
  lost.subscribe({ slots: 1, ...before })
  await fire()
  const [first] = await before.next(1)
  await lost.close()
  await using back = await connectWireRunner(relay.url, key, { instanceId: 'install1.2' })
  const after = collectPushes()
  back.subscribe({ slots: 1, ...after })
  expect(leaseOf((await after.next(1))[0] as PushedDelivery)).toEqual(leaseOf(first as PushedDelivery))
})

test('what was accepted on a line that is cut before the start is heard goes on when its machine is back', async () => {
  const { key, fire } = await makeMachine()
  await using runner = await connectWireRunner(relay.url, key, { instanceId: 'install22.1' })
  const seen = collectPushes()
  runner.subscribe({ slots: 5, ...seen })
  const { runId } = await fire()
  const [pushed] = await seen.next(1)
  const lease = leaseOf(pushed as PushedDelivery)
  await runner.api.runner.accept.mutate({ deliveries: [lease] })
  // From here on the runner is not heard, and the relay does not know yet that the socket is dead.
  const connection = connect(relay.databaseUrl, { max: 1 })
  await sql`update deliveries set lease_expires_at = now() - interval '1 s' where run_id = ${runId}`.execute(
    connection.db,
  )
  await connection.close()
  await eventually(async () =>
    expect((await api.runs.get.query({ id: runId })).deliveryState).toBe('pending'),
  )
  const held = [{ ...lease, phase: 'running' as const }]
  const { verdicts } = await runner.api.runner.hello.mutate({ ...wireHello('install22.1', held) })
  expect(verdicts).toMatchObject([{ runId, verdict: 'keep' }])
  expect(seen.deliveries()).toHaveLength(1)
})

test('a second computer with the same key is refused while the first is alive, and can take over', async () => {
  const { key } = await makeMachine()
  await using first = await connectWireRunner(relay.url, key, { instanceId: 'installA.1' })
  const seen = collectPushes()
  first.subscribe({ slots: 1, ...seen })
  await expect(connectWireRunner(relay.url, key, { instanceId: 'installB.1' })).rejects.toThrow(
    /Another runner on "test-host"/,
  )
  await using second = await connectWireRunner(relay.url, key, { instanceId: 'installB.1', takeover: true })
  second.subscribe({ slots: 1, ...collectPushes() })
  await eventually(() => expect(seen.ends).toHaveLength(1))
})

test('what was pushed to a computer that another one takes over from is accepted by the other alone', async () => {
  const { key, fire } = await makeMachine()
  await using first = await connectWireRunner(relay.url, key, { instanceId: 'installA.1' })
  const before = collectPushes()
  first.subscribe({ slots: 1, ...before })
  await fire()
  const [pushed] = await before.next(1)
  await using second = await connectWireRunner(relay.url, key, { instanceId: 'installB.1', takeover: true })
  const after = collectPushes()
  second.subscribe({ slots: 1, ...after })
  const [again] = await after.next(1)
  expect(again?.deliveryId).toBe(pushed?.deliveryId)
  expect(again?.fence).toBeGreaterThan(pushed?.fence ?? 0)
  const accept = async (runner: typeof first, delivery = pushed) =>
    (await runner.api.runner.accept.mutate({ deliveries: [leaseOf(delivery as PushedDelivery)] }))[0]?.ok
  expect([await accept(first), await accept(second, again), await accept(first)]).toEqual([
    false,
    true,
    false,
  ])
})

test('a key that is unknown or revoked gets one clear sentence, and its socket is closed', async () => {
  const { machine, key } = await makeMachine()
  await using runner = await connectWireRunner(relay.url, key)
  const seen = collectPushes()
  runner.subscribe({ slots: 1, ...seen })
  await api.machines.revoke.mutate({ id: machine.id })
  await expect(connectWireRunner(relay.url, key)).rejects.toThrow(/was revoked/)
  await expect(connectWireRunner(relay.url, 'sk_machine_nobody')).rejects.toThrow(
    /does not know this machine key/,
  )
  await eventually(async () =>
    expect(await (await fetch(`${relay.url}/metrics`)).text()).toMatch(
      /baton_runner_sessions 0|baton_sockets 0/,
    ),
  )
})

test('a runner that is too old is told to update', async () => {
  const { key } = await makeMachine()
  await expect(connectWireRunner(relay.url, key, { protocolVersion: 0 })).rejects.toThrow(/Update it/)
})

test('a cancel reaches the runner that holds the run, and a waiting one is cancelled at once', async () => {
  const { key, fire } = await makeMachine()
  await using runner = await connectWireRunner(relay.url, key)
  const seen = collectPushes()
  runner.subscribe({ slots: 1, ...seen })
  const running = await fire()
  const waiting = await fire()
  const lease = leaseOf((await seen.next(1))[0] as PushedDelivery)
  await runner.api.runner.accept.mutate({ deliveries: [lease] })
  expect((await api.runs.cancel.mutate({ id: waiting.runId })).status).toBe('stopped')
  await api.runs.cancel.mutate({ id: running.runId, reason: 'enough' })
  await eventually(() => expect(seen.pushes.flatMap((push) => push.cancels)).toHaveLength(1))
  const [renewed] = await runner.api.runner.renew.mutate({ deliveries: [lease], heartbeat: true })
  expect(renewed).toMatchObject({ ok: true, cancel: 'enough' })
  const { settle } = wireRun(lease, [], { state: 'cancelled', message: 'enough' })
  await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
  expect((await api.runs.get.query({ id: running.runId })).status).toBe('stopped')
})

test('a runner that cannot have a socket pulls over HTTP', async () => {
  const { key, fire } = await makeMachine()
  const keyed = connectApi(relay.url, key)
  const { token: jwt } = await keyed.runner.token.mutate()
  const http = connectApi(relay.url, jwt)
  await http.runner.hello.mutate(wireHello('pulling1.1'))
  const waiting = http.runner.pull.mutate({ instanceId: 'pulling1.1', slots: 1, waitMs: 20_000 })
  const { deliveryId } = await fire()
  expect((await waiting).deliveries.map((d) => d.deliveryId)).toEqual([deliveryId])
  expect(
    (await http.runner.pull.mutate({ instanceId: 'pulling1.1', slots: 0, waitMs: 50 })).deliveries,
  ).toHaveLength(1)
})

test('text that Postgres cannot store is replaced, too long is cut, and neither keeps a run from being settled', async () => {
  const { key, fire } = await makeMachine()
  await using runner = await connectWireRunner(relay.url, key, { hostname: 'bad\0host\ud800' })
  const seen = collectPushes()
  runner.subscribe({ slots: 1, ...seen })
  const { runId } = await fire('emoji 😀 and \ud83d alone and \0')
  const lease = leaseOf((await seen.next(1))[0] as PushedDelivery)
  await runner.api.runner.accept.mutate({ deliveries: [lease] })
  const { events, settle } = wireRun(lease, [{ type: 'message', role: 'assistant', text: 'a\0b\ud800' }], {
    result: `cut\ud83d\0${'x'.repeat(300_000)}`,
    message: 'half an emoji \ud83d',
  })
  const append = { runId, fence: lease.fence, fromSeq: 1, events }
  expect((await runner.api.runner.append.mutate(append)).result).toBe('stored')
  await expect(
    runner.api.runner.append.mutate({ ...append, fromSeq: 2, events: ['raw \0'] }),
  ).rejects.toThrow(/not an encoded/)
  const [settled] = await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
  expect(settled?.result).toBe('settled')
  const run = await api.runs.get.query({ id: runId })
  expect(run.message).toBe('half an emoji \ufffd')
  expect(run.result).toHaveLength(256 * 1024)
  expect(run.transcript.complete).toBe(true)
})

test('two relays on one database: what one stores, the runner on the other gets, and both follow its run', async () => {
  await using other = await startTestRelay({ databaseUrl: relay.databaseUrl })
  const { key, fire } = await makeMachine()
  await using runner = await connectWireRunner(other.url, key)
  const seen = collectPushes()
  runner.subscribe({ slots: 1, ...seen })
  const { runId } = await fire()
  const lease = leaseOf((await seen.next(1))[0] as PushedDelivery)
  await runner.api.runner.accept.mutate({ deliveries: [lease] })
  const client = createWSClient({
    url: `${relay.url.replace('http', 'ws')}/trpc`,
    connectionParams: () => ({ token }),
  })
  const got: number[] = []
  const ended = Promise.withResolvers<void>()
  createTRPCClient<AppRouter>({ links: [wsLink({ client })] }).runs.events.subscribe(
    { id: runId },
    {
      onData: ({ data }) => got.push(...data.map((item) => item.seq)),
      onComplete: () => ended.resolve(),
      onError: ended.reject,
    },
  )
  for (let seq = 1; seq <= 20; seq++) {
    const event = encodeRunEvent(seq, { type: 'message', role: 'assistant', text: `line ${seq}` })
    await runner.api.runner.append.mutate({ runId, fence: lease.fence, fromSeq: seq, events: [event] })
  }
  const texts = Array.from({ length: 20 }, (_, i) => ({
    type: 'message' as const,
    role: 'assistant' as const,
    text: `line ${i + 1}`,
  }))
  const { settle } = wireRun(lease, texts)
  await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
  await ended.promise
  await client.close()
  expect(got).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('a burst at one relay reaches a runner on the other, each once and never more than its slots', async () => {
  await using other = await startTestRelay({ databaseUrl: relay.databaseUrl })
  const { key, agent, fire } = await makeMachine()
  await api.agents.update.mutate({ id: agent.id, maxConcurrent: 10 })
  await using runner = await connectWireRunner(other.url, key)
  const seen = collectPushes()
  runner.subscribe({ slots: 2, ...seen })
  const fired = await Promise.all(Array.from({ length: 6 }, () => fire()))
  const first = await seen.next(2)
  await runner.api.runner.accept.mutate({ deliveries: first.map(leaseOf) })
  expect(seen.deliveries()).toHaveLength(2)
  await runner.api.runner.offer.mutate({ slots: 4 })
  const all = await seen.next(6)
  expect(all.map((one) => one.runId).toSorted()).toEqual(fired.map((one) => one.runId).toSorted())
})

test("another organization's machine, agent and run answer exactly like ones that do not exist", async () => {
  const { machine, agent, fire } = await makeMachine()
  const { runId } = await fire()
  const foreign = await relay.setup<{ token: string }>({ organization: 'other', wantToken: true })
  const stranger = connectApi(relay.url, foreign.token)
  const message = (promise: Promise<unknown>) =>
    promise.then(
      () => 'found',
      (error: Error) => error.message.replaceAll(/[a-z]{3}_[0-9a-f]{32}/g, 'ID'),
    )
  const zeros = '0'.repeat(32)
  expect(await message(stranger.runs.get.query({ id: runId }))).toBe(
    await message(stranger.runs.get.query({ id: `run_${zeros}` })),
  )
  expect(await message(stranger.machines.revoke.mutate({ id: machine.id }))).toBe(
    await message(stranger.machines.revoke.mutate({ id: `mch_${zeros}` })),
  )
  expect(await message(stranger.agents.archive.mutate({ id: agent.id }))).toBe(
    await message(stranger.agents.archive.mutate({ id: `agt_${zeros}` })),
  )
  expect(await message(stranger.runs.cancel.mutate({ id: runId }))).toMatch(/There is no run/)
  for (const ask of [stranger.runs.changes.query, stranger.runs.undo.mutate])
    expect(await message(ask({ id: runId }))).toBe(await message(ask({ id: `run_${zeros}` })))
})
