import { setTimeout as wait } from 'node:timers/promises'
import { transcriptHash } from '@baton/protocol/transcript-hash'
import { Baton } from '@baton/sdk'
import { startTcpProxy, type TcpProxy, type Weather } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRunnerProcess, untilIdle } from '../../apps/runner/test/support/runner-process.ts'
import { createTestPlace, type TestPlace } from '../../apps/runner/test/support/test-place.ts'
import { createRandom, printSeed } from './support/seed.ts'

printSeed('proxy')
const random = createRandom()
const isLarge = process.env.FAULTS === 'large'
const LINES = isLarge ? 1_000 : 200
const everyLine = Array.from({ length: LINES }, (_, at) => `line ${at + 1}`)

let place: TestPlace
beforeAll(async () => {
  place = await createTestPlace()
})
afterAll(() => place?.[Symbol.asyncDispose]())

const portOf = (url: string) => Number(new URL(url).port)

/** The certificate of a run, and its lines as they are stored, hashed here again. */
async function expectWhole(id: string, lines = everyLine) {
  const run = await place.untilFinished(id, 60_000)
  expect(run).toMatchObject({ state: 'succeeded', attempt: 1, transcript: { complete: true, missing: [] } })
  const texts: string[] = []
  for (;;) {
    const page = await place.api.runs.transcript.query({ id, fromSeq: texts.length + 1, limit: 500 })
    if (page.events.length === 0) break
    texts.push(...page.events.map(({ text }) => text))
  }
  expect(transcriptHash(id, texts)).toBe(run.transcript.expectedHash)
  const said = texts.map((text) => JSON.parse(text) as { type: string; text?: string })
  expect(
    said.flatMap(({ type, text }) => (type === 'message' && text?.startsWith('line ') ? [text] : [])),
  ).toEqual(lines)
}

type Storm = (proxy: TcpProxy) => Promise<void>
const every =
  (ms: number, times: number): Storm =>
  async (proxy) => {
    for (let cuts = 0; cuts < times; cuts++) {
      await wait(ms)
      proxy.cut()
    }
  }
const networks: [string, Partial<Weather>, Storm?][] = [
  ['300 ms away, give or take', { latencyMs: 100, jitterMs: 200 }],
  ['of 32 kbit/s', { bytesPerSecond: 4_000 }],
  ['that hands over seven bytes at a time', { sliceBytes: 7 }],
  ['that resets each connection after 12 KB', { resetAfterBytes: 12_000 }],
  ['that is cut again and again', {}, every(250, 8)],
  [
    'that is a black hole for a while and then a reset',
    {},
    async (proxy) => {
      await wait(300)
      proxy.weather.blackHole = true
      await wait(isLarge ? 45_000 : 2_000)
      proxy.weather.blackHole = false
      proxy.cut()
    },
  ],
]

/** Bad weather of several kinds at once, drawn from the seed: 24 more in the large suite. */
function drawNetwork(index: number): [string, Partial<Weather>, Storm?] {
  const maybe = <T>(value: T) => (random() < 0.5 ? value : null)
  // Each piece waits for the one before it, so tiny pieces far away would be no network at all.
  const isSliced = random() < 0.3
  const weather = {
    latencyMs: isSliced ? 0 : Math.round(random() * 400),
    jitterMs: isSliced ? 0 : Math.round(random() * 400),
    bytesPerSecond: isSliced ? null : maybe(16_000 + Math.round(random() * 60_000)),
    resetAfterBytes: maybe(60_000 + Math.round(random() * 200_000)),
    sliceBytes: isSliced ? 1 + Math.round(random() * 200) : null,
  }
  const cuts = Math.round(random() * 6)
  const storm: Storm = async (proxy) => {
    await every(100 + random() * 900, cuts)(proxy)
    if (random() < 0.4) {
      proxy.freeze()
      await wait(random() * 2_000)
    }
  }
  return [`number ${index + 1}: ${JSON.stringify({ ...weather, cuts })}`, weather, storm]
}
if (isLarge) networks.push(...Array.from({ length: 24 }, (_, index) => drawNetwork(index)))

test.each(networks)(
  'over a network %s a transcript arrives byte for byte',
  async (_, weather, storm) => {
    await using proxy = await startTcpProxy(portOf(place.relay.url), weather)
    const { home, paths } = await place.makeHome(undefined, proxy.url)
    await using runner = startRunnerProcess(home)
    await runner.ready
    const id = await place.run(`@demo lines ${LINES} 8`, { workspace: 'scratch' })
    await place.until(id, (run) => run.transcript.events > 5, 30_000)
    await storm?.(proxy)
    await expectWhole(id)
    Object.assign(proxy.weather, {
      latencyMs: 0,
      jitterMs: 0,
      bytesPerSecond: null,
      resetAfterBytes: null,
      sliceBytes: null,
    })
    await untilIdle(paths)
  },
  150_000,
)

test('a viewer whose connection is cut while the relay is killed too sees each event once, in order', async () => {
  const { home } = await place.makeHome()
  await using runner = startRunnerProcess(home)
  await runner.ready
  await using proxy = await startTcpProxy(portOf(place.relay.url))
  const { token } = await place.api.tokens.create
    .mutate({ name: 'viewer' })
    .then(({ secret }) => ({ token: secret }))
  await using baton = new Baton({ url: proxy.url, token })
  const id = await place.run(`@demo lines ${LINES} 15`, { workspace: 'scratch' })
  const seqs: number[] = []
  const lines: string[] = []
  const faults = (async () => {
    await place.until(id, (run) => run.transcript.events > 20)
    await every(200, 5)(proxy)
    await place.relay.kill()
    await wait(300)
    await place.relay.start()
    await every(200, 5)(proxy)
  })()
  for await (const event of baton.runs.open(id).events()) {
    seqs.push(event.seq)
    if (event.type === 'message') lines.push(event.text)
  }
  await faults
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => index + 1))
  expect(lines.filter((text) => text.startsWith('line '))).toEqual(everyLine)
  await expectWhole(id)
}, 90_000)

test('two relays that are replaced one after the other under load fail nothing', async () => {
  await using balancer = await startTcpProxy(portOf(place.relay.url))
  const { home, paths } = await place.makeHome(undefined, balancer.url)
  await using runner = startRunnerProcess(home)
  await runner.ready
  const ids: string[] = []
  const runs = isLarge ? 100 : 12
  const loading = (async () => {
    for (let index = 0; index < runs; index++) {
      ids.push(await createRun(balancer.url, index))
      await wait(100)
    }
  })()
  const second = await place.startSecondRelay()
  try {
    for (const [next, previous] of [
      [second, place.relay],
      [place.relay, second],
    ] as const) {
      if (next === place.relay) await next.start()
      balancer.target(portOf(next.url))
      await wait(200)
      await previous.stop()
      await wait(1_000)
    }
    await loading
    for (const id of ids) await expectWhole(id, everyLine.slice(0, 20))
    await untilIdle(paths)
  } finally {
    await second.kill()
  }
}, 150_000)

/** As a client would: the same request under the same key until it is answered. */
async function createRun(url: string, index: number): Promise<string> {
  const { secret } = await place.api.tokens.create
    .mutate({ name: `load ${index}` })
    .catch(() => ({ secret: null }))
  if (secret === null) return await wait(100).then(() => createRun(url, index))
  const baton = new Baton({ url, token: secret })
  for (;;) {
    try {
      const run = await baton.runs.create({
        agent: 'demo',
        prompt: '@demo lines 20 20',
        workspace: 'scratch',
        idempotencyKey: `load-${index}`,
      })
      return run.id
    } catch {
      await wait(100)
    } finally {
      await baton.close()
    }
  }
}
