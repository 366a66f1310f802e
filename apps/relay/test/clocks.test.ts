import { join } from 'node:path'
import {
  connectApi,
  connectWireRunner,
  createTestDatabase,
  eventually,
  startTestRelay,
  type TestDatabase,
  type TestRelay,
} from '@baton/testkit'
import { signRequest } from '@baton/webhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'

const DAY = 86_400_000
const shiftClock = join(import.meta.dirname, '../../runner/test/fixtures/shift-clock.mjs')

let database: TestDatabase
/** Two relays of one database: the clock of the first is a day ahead, that of the second a day behind. */
let relays: TestRelay[] = []
let made: { machineKey: string; token: string }
let hook: { path: string; secret: string }

beforeAll(async () => {
  database = await createTestDatabase()
  const start = (shiftMs: number) =>
    startTestRelay({
      databaseUrl: database.url,
      env: { NODE_OPTIONS: `--import=${shiftClock}`, CLOCK_SHIFT_MS: String(shiftMs) },
    })
  relays = await Promise.all([start(DAY), start(-DAY)])
  const [first] = relays
  if (!first) throw new Error('no relay')
  made = await first.setup({
    machineName: 'laptop',
    wantMachineKey: true,
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })
  const { secrets } = await apiOf(first, made.token).jobs.create.mutate({
    key: 'fix',
    agent: 'demo',
    prompt: 'x',
    triggers: [{ kind: 'webhook', scheme: 'standard' }],
  })
  if (!secrets[0]) throw new Error('The job was made without its webhook.')
  hook = secrets[0]
}, 60_000)
afterAll(async () => {
  for (const relay of relays) await relay[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const apiOf = (relay: TestRelay, token: string) => connectApi(relay.url, token)

let count = 0
async function post(relay: TestRelay, timestampMs: number) {
  const body = '{"a":1}'
  const headers = signRequest({
    scheme: 'standard',
    secret: hook.secret,
    id: `msg_${++count}`,
    timestampMs,
    body,
  })
  const response = await fetch(`${relay.url}/hooks/${hook.path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return response.status
}

test('relays whose clocks are a day wrong accept what is signed now, and refuse what was signed a day ago or ahead', async () => {
  for (const relay of relays) {
    expect(await post(relay, Date.now())).toBe(202)
    expect(await post(relay, Date.now() + DAY)).toBe(401)
    expect(await post(relay, Date.now() - DAY)).toBe(401)
    await eventually(() => expect(relay.log()).toMatch(/clock differs from the database/))
  }
})

test("a runner's token of one relay works at another, however their clocks differ", async () => {
  for (const [relay, there] of [relays, relays.toReversed()]) {
    if (!relay || !there) throw new Error('no relay')
    await using runner = await connectWireRunner(relay.url, made.machineKey, { takeover: true })
    expect(runner.answer.machineId).toBe(runner.machineId)
    const { token } = await apiOf(relay, made.machineKey).runner.token.mutate()
    expect(await apiOf(there, token).runner.renew.mutate({ deliveries: [], heartbeat: false })).toEqual([])
  }
})
