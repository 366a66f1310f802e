import { setTimeout as wait } from 'node:timers/promises'
import type { AppRouter } from '@baton/relay'
import { connectWireRunner, startTestRelay, type WireRunner } from '@baton/testkit'
import { createTRPCClient, httpLink } from '@trpc/client'
import { createRandom } from './support/seed.ts'

export type StormFindings = {
  runners: number
  backMs: number
  p99Ms: number
  failed: number
  tries: number
  cpuMs: number
}

/** As DESIGN section 7 has it: half a second doubling to thirty, full jitter. */
const BASE_MS = 500
const CAP_MS = 30_000

/** Simulated runners on one relay; it is killed and comes back, and each connects again by its own rule. */
export async function runStorm(runners: number, databaseUrl: string): Promise<StormFindings> {
  const random = createRandom()
  await using first = await startTestRelay({ databaseUrl })
  const keys = await makeKeys(
    first.url,
    (await first.setup<{ token: string }>({ wantToken: true })).token,
    runners,
  )
  const connected = new Map<string, WireRunner>()
  await inGroups(
    keys,
    20,
    async (key, index) => void connected.set(key, await connectOnce(first.url, key, index, 1)),
  )
  await first.kill()
  await Promise.all([...connected.values()].map((runner) => runner.close()))
  await using second = await startTestRelay({ databaseUrl, port: first.port })
  const startedAt = performance.now()
  let tries = 0
  let failed = 0
  const back: number[] = []
  const again = await Promise.all(
    keys.map(async (key, index) => {
      for (let failures = 0; failures < 12; failures++) {
        await wait(random() * Math.min(CAP_MS, BASE_MS * 2 ** failures))
        tries++
        try {
          const runner = await connectOnce(second.url, key, index, 2)
          back.push(performance.now() - startedAt)
          return runner
        } catch {
          // Its next try is later.
        }
      }
      failed++
      return null
    }),
  )
  const sorted = back.toSorted((a, b) => a - b)
  const findings = {
    runners,
    backMs: Math.round(sorted.at(-1) ?? 0),
    p99Ms: Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0),
    failed,
    tries,
    cpuMs: Math.round(process.cpuUsage().user / 1000),
  }
  await Promise.all(again.map(async (runner) => runner?.close()))
  return findings
}

async function connectOnce(url: string, key: string, index: number, start: number): Promise<WireRunner> {
  const runner = await connectWireRunner(url, key, { instanceId: `install${index}.${start}` })
  const opened = Promise.withResolvers<void>()
  runner.subscribe({ slots: 1, onPush: () => {}, onEnd: (error) => opened.reject(error) })
  // A call behind the subscription is answered after the relay has taken it.
  const answered = runner.api.runner.renew
    .mutate({ deliveries: [], heartbeat: true })
    .then(() => opened.resolve())
  try {
    await Promise.race([Promise.all([opened.promise, answered]), late(10_000)])
    return runner
  } catch (error) {
    await runner.close()
    throw error
  }
}

async function late(ms: number): Promise<never> {
  await wait(ms, undefined, { ref: false })
  throw new Error(`not connected within ${ms} ms`)
}

async function makeKeys(url: string, token: string, count: number): Promise<string[]> {
  const api = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, headers: { authorization: `Bearer ${token}` } })],
  })
  const keys: string[] = []
  const names = Array.from({ length: count }, (_, index) => `storm-${index}`)
  await inGroups(names, 20, async (name) => void keys.push((await api.machines.create.mutate({ name })).key))
  return keys
}

async function inGroups<T>(items: T[], size: number, work: (item: T, index: number) => Promise<void>) {
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      await work(items[index] as T, index)
    }
  }
  await Promise.all(Array.from({ length: size }, worker))
}
