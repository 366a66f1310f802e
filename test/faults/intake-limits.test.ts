import { randomBytes, randomUUID } from 'node:crypto'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { Baton } from '@baton/sdk'
import { createTestDatabase, startTestRelay, type TestDatabase, type TestRelay } from '@baton/testkit'
import { generateSecret, signRequest, verifySignature } from '@baton/webhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'

const isLarge = process.env.FAULTS === 'large'
/** Requests a second that an address takes here, with four seconds' worth at once. */
const RATE = 50

type Hook = { url: string; path: string; secret: string }

let database: TestDatabase
let relay: TestRelay
let flooded: Hook
let quiet: Hook

beforeAll(async () => {
  database = await createTestDatabase()
  relay = await startTestRelay({ databaseUrl: database.url, env: { BATON_HOOK_RATE: String(RATE) } })
  const { token } = await relay.setup<{ token: string }>({ machineName: 'laptop', wantToken: true })
  await using baton = new Baton({ url: relay.url, token })
  const [machine] = await baton.raw.machines.list.query()
  const agent = { key: 'demo', machineId: machine?.id ?? '', runtime: 'command', command: 'demo' } as const
  await baton.raw.agents.create.mutate(agent)
  const makeHook = async (key: string): Promise<Hook> => {
    const triggers = [{ kind: 'webhook' as const, scheme: 'standard' as const }]
    const { secrets } = await baton.raw.jobs.create.mutate({ key, agent: 'demo', prompt: 'Look.', triggers })
    const [shown] = secrets
    if (!shown) throw new Error('The job was made without its webhook.')
    return { url: shown.url, path: new URL(shown.url).pathname, secret: shown.secret }
  }
  flooded = await makeHook('flooded')
  quiet = await makeHook('quiet')
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

async function send({
  url,
  secret,
}: Hook): Promise<{ status: number; retryAfter: string | null; ms: number }> {
  const body = JSON.stringify({ ref: randomUUID() })
  const timestampMs = Date.now()
  const signed = signRequest({ scheme: 'standard', secret, id: randomUUID(), timestampMs, body })
  const startedAt = performance.now()
  const headers = { 'content-type': 'application/json', ...signed }
  const response = await fetch(url, { method: 'POST', body, headers })
  await response.arrayBuffer()
  const retryAfter = response.headers.get('retry-after')
  return { status: response.status, retryAfter, ms: performance.now() - startedAt }
}

test('a flood on one address is refused with a time to come back, and another address is served (T-16)', async () => {
  let isOver = false
  const statuses = new Map<number, number>()
  const floods = Array.from({ length: 16 }, async () => {
    while (!isOver) {
      const { status, retryAfter } = await send(flooded)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 429) expect(Number(retryAfter)).toBeGreaterThan(0)
    }
  })
  const startedAt = performance.now()
  const overMs = isLarge ? 30_000 : 3_000
  const times: number[] = []
  while (performance.now() - startedAt < overMs) {
    const { status, ms } = await send(quiet)
    expect(status).toBe(202)
    times.push(ms)
    await wait(50)
  }
  isOver = true
  await Promise.all(floods)
  const seconds = (performance.now() - startedAt) / 1_000
  expect(statuses.get(202) ?? 0).toBeLessThanOrEqual(RATE * (4 + seconds + 1))
  expect(statuses.get(429) ?? 0).toBeGreaterThan(0)
  expect([...statuses.keys()].toSorted((a, b) => a - b)).toEqual([202, 429])
  expect(times.length).toBeGreaterThan(10)
}, 90_000)

test('a body that never ends its line is cut off after its time, and its connection closed (T-11)', async () => {
  const socket = net.connect(relay.port, '127.0.0.1')
  const answer = new Promise<string>((resolve, reject) => {
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString('latin1')))
    socket.on('close', () => resolve(text)).on('error', reject)
  })
  const head = [
    `POST ${quiet.path} HTTP/1.1`,
    'host: x',
    'content-type: application/json',
    'content-length: 1000',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const startedAt = performance.now()
  const drip = setInterval(() => socket.write(' '), 1_000)
  const text = await answer.finally(() => clearInterval(drip))
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
  expect(performance.now() - startedAt).toBeGreaterThan(10_000)
  expect(performance.now() - startedAt).toBeLessThan(25_000)
}, 60_000)

/**
 * Welch's t between two sets of times, of which the slowest tenth is left out: the noise of the machine lies there.
 */
function welch(one: number[], other: number[]): number {
  const kept = (times: number[]) => times.toSorted((a, b) => a - b).slice(0, Math.floor(times.length * 0.9))
  const [a, b] = [kept(one), kept(other)]
  const mean = (times: number[]) => times.reduce((sum, time) => sum + time, 0) / times.length
  const [meanA, meanB] = [mean(a), mean(b)]
  const variance = (times: number[], m: number) => mean(times.map((time) => (time - m) ** 2)) / times.length
  return (meanA - meanB) / Math.sqrt(variance(a, meanA) + variance(b, meanB))
}

test.runIf(isLarge)('how much of a forged signature is right does not show in its time (T-03)', () => {
  const secret = generateSecret('github')
  const rawBody = Buffer.from(JSON.stringify({ ref: randomUUID() }))
  const nowMs = Date.now()
  const signed = signRequest({
    scheme: 'github',
    secret,
    timestampMs: nowMs,
    body: rawBody.toString(),
    id: 'a',
  })
  const right = signed['x-hub-signature-256'] ?? ''
  // Many of each kind, made alike and drawn at random: else what is measured is where a text lies in memory, or how well the
  // processor foresees digits that the sender knows anyway.
  const other = randomBytes(31).toString('hex')
  const digits = right.slice('sha256='.length)
  const forged = { near: [] as string[], far: [] as string[] }
  for (let index = 0; index < 64; index++) {
    const tail = ((Number.parseInt(digits.slice(-2), 16) + 1 + index) % 256).toString(16).padStart(2, '0')
    forged.near.push(Buffer.from(`sha256=${digits.slice(0, -2)}${tail}`).toString('latin1'))
    forged.far.push(Buffer.from(`sha256=${other}${tail}`).toString('latin1'))
  }
  const times = { near: [] as number[], far: [] as number[] }
  for (let sample = 0; sample < 400_000; sample++) {
    const kind = Math.random() < 0.5 ? 'near' : 'far'
    const headers = { 'x-hub-signature-256': [forged[kind][sample & 63] ?? ''], 'x-github-delivery': ['a'] }
    const startedAt = process.hrtime.bigint()
    const verified = verifySignature({
      scheme: 'github',
      secrets: [secret],
      headers,
      rawBody,
      nowMs,
      toleranceMs: 300_000,
    })
    times[kind].push(Number(process.hrtime.bigint() - startedAt))
    if (verified.ok) throw new Error('A forged signature was taken.')
  }
  // Half of the samples are for the machine to settle.
  expect(Math.abs(welch(times.near.slice(100_000), times.far.slice(100_000)))).toBeLessThan(4.5)
})
