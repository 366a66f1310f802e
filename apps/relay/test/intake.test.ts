import { createHash } from 'node:crypto'
import http from 'node:http'
import { connect, sql } from '@baton/db'
import { connectApi, startTestRelay, type TestRelay, type WireApi } from '@baton/testkit'
import { generateSecret, signRequest } from '@baton/webhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'

let relay: TestRelay
let api: WireApi
let hook: { url: string; secret: string }
let github: { url: string; secret: string }

beforeAll(async () => {
  relay = await startTestRelay()
  const made = await relay.setup<{ token: string; machineId: string }>({
    machineName: 'laptop',
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })
  api = connectApi(relay.url, made.token)
  const { secrets } = await api.jobs.create.mutate({
    key: 'fix',
    agent: 'demo',
    prompt: 'Look at {{ payload.ref }}',
    triggers: [
      { kind: 'webhook', scheme: 'standard' },
      { kind: 'webhook', scheme: 'github', secret: "It's a Secret to Everybody" },
    ],
  })
  if (!secrets[0] || !secrets[1]) throw new Error('The job was made without its webhooks.')
  hook = secrets[0]
  github = secrets[1]
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
})

let count = 0
function sign(body: string, options: { id?: string; secret?: string; at?: number } = {}) {
  const id = options.id ?? `msg_${++count}`
  const timestampMs = options.at ?? Date.now()
  return signRequest({ scheme: 'standard', secret: options.secret ?? hook.secret, id, timestampMs, body })
}
async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>, url = hook.url) {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

test('a signed webhook is stored with its delivery and answered 202', async () => {
  const body = '{"ref":"refs/heads/main"}'
  const answer = await post(body, sign(body))
  expect(answer.status).toBe(202)
  const run = await api.runs.get.query({ id: (answer.body.deliveries as string[])[0] ?? '' })
  expect(run).toMatchObject({ prompt: 'Look at refs/heads/main', deliveryState: 'pending', status: 'asleep' })
  const event = await api.events.get.query({ id: String(answer.body.eventId) })
  expect(event).toMatchObject({ state: 'matched', body, source: 'webhook' })
  expect(event.headers['webhook-signature']).toBe('[redacted]')
})

test('fifty repeats of one request at once are one event, all answered alike', async () => {
  const body = '{"ref":"again"}'
  const headers = sign(body, { id: 'msg_repeat' })
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(body, headers)))
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]))
  expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1)
})

test('the same id with another body is a conflict', async () => {
  await post('{"a":1}', sign('{"a":1}', { id: 'msg_conflict' }))
  const answer = await post('{"a":2}', sign('{"a":2}', { id: 'msg_conflict' }))
  expect(answer.status).toBe(409)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
})

test('a captured GitHub body under a fresh delivery id is a repeat', async () => {
  const body =
    '{"zen":"Keep it logically awesome.","ref":"r","before":"b","after":"a","commits":[],"repository":{},"pusher":{}}'
  const signed = signRequest({ scheme: 'github', secret: github.secret, id: 'one', timestampMs: 0, body })
  const first = await post(
    body,
    { ...signed, 'x-github-event': 'push', 'x-github-delivery': 'one' },
    github.url,
  )
  const again = await post(
    body,
    { ...signed, 'x-github-event': 'push', 'x-github-delivery': 'two' },
    github.url,
  )
  expect(first.status).toBe(202)
  expect(again.body).toEqual(first.body)
})

test('every refusal is a problem that says what to do, and stores nothing', async () => {
  const before = (await api.events.list.query({ limit: 200 })).items.length
  const body = '{"x":1}'
  const gzip = { ...sign(body), 'content-encoding': 'gzip' }
  const form = { ...sign(body), 'content-type': 'application/x-www-form-urlencoded' }
  const cases: [number, ReturnType<typeof post>][] = [
    [401, post(body, {})],
    [401, post(body, sign(body, { secret: generateSecret('standard') }))],
    [401, post(body, sign(body, { at: Date.now() - 301_000 }))],
    [401, post(body, sign(body, { at: Date.now() + 302_000 }))],
    [404, post(body, sign(body), `${relay.url}/hooks/nobody-knows-this`)],
    [415, post(body, gzip)],
    [415, post(body, form)],
    [400, post('{"broken":', sign('{"broken":'))],
    [413, post(`"${'x'.repeat(1024 * 1024)}"`, sign(`"${'x'.repeat(1024 * 1024)}"`))],
  ]
  for (const [status, asked] of cases) {
    const answer = await asked
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
  }
  const get = await fetch(hook.url)
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
  expect((await api.events.list.query({ limit: 200 })).items.length).toBe(before)
})

test('a body that is cut half-way stores nothing and leaves the relay well', async () => {
  const before = (await api.events.list.query({ limit: 200 })).items.length
  const body = '{"half":true}'
  const request = http.request(hook.url, {
    method: 'POST',
    headers: { ...sign(body), 'content-type': 'application/json', 'content-length': String(body.length) },
  })
  const failed = new Promise((resolve) => request.once('error', resolve))
  request.write(body.slice(0, 5))
  await new Promise((resolve) => request.once('socket', (socket) => socket.once('connect', resolve)))
  request.destroy()
  await failed
  expect((await fetch(`${relay.url}/readyz`)).status).toBe(200)
  expect((await api.events.list.query({ limit: 200 })).items.length).toBe(before)
})

test('a job that is disabled keeps the event and says why nothing happened', async () => {
  await api.jobs.disable.mutate({ id: 'fix' })
  const answer = await post('{"d":1}', sign('{"d":1}'))
  await api.jobs.enable.mutate({ id: 'fix' })
  expect(answer).toMatchObject({ status: 202, body: { deliveries: [] } })
  const event = await api.events.get.query({ id: String(answer.body.eventId) })
  expect(event).toMatchObject({ state: 'ignored', reason: 'job_disabled' })
})

test('a body with NUL, emoji and quotes is kept byte for byte', async () => {
  const body = '{"t":"\\u0000 \\"q\\" 🚀","ref":"a\\u0000b"}'
  const answer = await post(body, sign(body))
  expect(answer.status).toBe(202)
  const event = await api.events.get.query({ id: String(answer.body.eventId) })
  expect(createHash('sha256').update(event.body).digest('hex')).toBe(
    createHash('sha256').update(body).digest('hex'),
  )
})

test('a machine with 100,000 deliveries waiting takes no more: 429 with a time, and nothing is dropped', async () => {
  const { machine } = await api.machines.create.mutate({ name: 'full' })
  const agent = await api.agents.create.mutate({
    key: 'full',
    machineId: machine.id,
    runtime: 'command',
    command: 'demo',
  })
  const made = await api.jobs.create.mutate({
    key: 'full',
    agent: agent.key,
    prompt: 'go',
    triggers: [{ kind: 'webhook', scheme: 'standard' }],
  })
  const full = made.secrets[0]
  if (!full) throw new Error('no webhook')
  // Of another machine: how much waits for this one is remembered for some seconds, once somebody has asked.
  const { machine: other } = await api.machines.create.mutate({ name: 'not full' })
  await api.agents.create.mutate({
    key: 'not-full',
    machineId: other.id,
    runtime: 'command',
    command: 'demo',
  })
  await api.jobs.create.mutate({ key: 'not-full', agent: 'not-full', prompt: 'go' })
  const { eventId } = await api.jobs.run.mutate({ id: 'not-full' })
  const connection = connect(relay.databaseUrl, { max: 1, statementTimeoutMs: 60_000 })
  const { rows } = await sql<{
    organization_id: string
  }>`select organization_id from events where id = ${eventId}`.execute(connection.db)
  await sql`
    insert into deliveries (id, organization_id, event_id, agent_id, machine_id, run_id, prompt, limits)
    select 'dlv_' || lpad(to_hex(g), 32, '0'), ${rows[0]?.organization_id}, ${eventId}, ${agent.id}, ${machine.id},
      'run_' || lpad(to_hex(g), 32, '0'), 'x', '{}'
    from generate_series(1, 100000) g`.execute(connection.db)
  await connection.close()
  const body = '{"one":"more"}'
  const signed = signRequest({
    scheme: 'standard',
    secret: full.secret,
    id: 'msg_full',
    timestampMs: Date.now(),
    body,
  })
  const answer = await post(body, signed, full.url)
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60'])
  expect(answer.body.detail).toMatch(/100,000 pending/)
})
