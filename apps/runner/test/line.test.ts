import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readMachineKey } from '../src/config/profile.ts'
import { exchangeToken } from '../src/connection/exchange-token.ts'
import { openSocketLink } from '../src/connection/socket-link.ts'
import { type CuttingProxy, startCuttingProxy } from './support/cutting-proxy.ts'
import { readStatus, startRunnerProcess, untilIdle } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace
let proxy: CuttingProxy

beforeAll(async () => {
  place = await createTestPlace()
  proxy = await startCuttingProxy(place.relay.url)
}, 60_000)
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
})

test('on a line of 32 kbit/s with 2 s to an answer no lease is renewed late and no byte is lost', async () => {
  const { home } = await place.makeHome('slow', proxy.url)
  proxy.line = { bytesPerSecond: 4_000, latencyMs: 1_000 }
  await using runner = startRunnerProcess(home, { args: ['--takeover'] })
  await runner.ready
  const id = await place.run('@demo flood 100k\n@demo text 3 0')
  let shortest = Number.POSITIVE_INFINITY
  const states = new Set<string>()
  const run = await eventually(
    async () => {
      const [row] = await place.query<{ state: string; left: number | null }>(
        `select state, extract(epoch from lease_expires_at - now())::float as left from deliveries d
         where exists (select from runs r where r.delivery_id = d.id and r.id = '${id}')`,
      )
      states.add(row?.state ?? 'none')
      if (row?.state === 'running') shortest = Math.min(shortest, row.left ?? 0)
      const now = await place.view(id)
      expect(now.ladder.finishedAt).not.toBeNull()
      return now
    },
    { timeoutMs: 90_000, everyMs: 200 },
  )
  proxy.line = null
  proxy.cut()
  expect(run).toMatchObject({ state: 'succeeded', attempt: 1, transcript: { complete: true } })
  expect(run.transcript.hash).toBe(run.transcript.expectedHash)
  expect(states).not.toContain('stalled')
  // Of 30 s: what is renewed every 10 s ± 20 %, and answered after two, is never much further.
  expect(shortest).toBeGreaterThan(10)
}, 120_000)

/** Opens a socket, lets the line forget it, and answers how its end is told and after how long. */
async function forgotten(keepAlive: { pingEveryMs: number; pongWithinMs: number }) {
  const { paths } = await place.makeHome('half-open')
  const key = await readMachineKey(paths)
  const stopped = new AbortController()
  const { token } = await exchangeToken(proxy.url, key.ok ? key.value : '', stopped.signal)
  const link = await openSocketLink(proxy.url, token, stopped.signal, keepAlive)
  proxy.freeze()
  const from = performance.now()
  const end = await Promise.race([link.ended, wait(2_000, null)])
  link.close()
  proxy.cut()
  return { end, tookMs: performance.now() - from }
}

test('a socket that the line forgot is given up within the time of a ping and its answer', async () => {
  const { end, tookMs } = await forgotten({ pingEveryMs: 200, pongWithinMs: 400 })
  expect(end).toMatchObject({ why: 'lost' })
  expect(tookMs).toBeLessThan(35_000 / 50 + 300)
})

test('without pings, the mutant, nobody notices', async () => {
  expect((await forgotten({ pingEveryMs: 3_600_000, pongWithinMs: 3_600_000 })).end).toBeNull()
})

test('a delivery that is pushed twice runs once', async () => {
  const agent = { argv: ['/bin/sh', '-c', 'echo ran >> runs.txt'], format: 'text' as const }
  const { home, paths } = await place.makeHome('twice', proxy.url, { commands: { demo: agent } })
  proxy.repeatPushes = true
  await using runner = startRunnerProcess(home, { args: ['--takeover'] })
  await runner.ready
  for (let runs = 1; runs <= 3; runs += 1) {
    await place.untilFinished(await place.run('Run.'))
    await untilIdle(paths)
    expect(await readFile(join(place.workspace, 'runs.txt'), 'utf8')).toBe('ran\n'.repeat(runs))
  }
  proxy.repeatPushes = false
  expect((await readStatus(paths)).connection.via).toBe('websocket')
}, 60_000)
