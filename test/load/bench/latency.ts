import { setTimeout as wait } from 'node:timers/promises'
import type { RawQueue, RawQueueMode } from '../peers/raw-queue.ts'
import type { RawReceiver } from '../peers/raw-receiver.ts'
import { type BenchRelay, startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { nowMs } from '../support/now-ms.ts'
import { type Figure, figure } from '../support/report.ts'
import { runRounds } from '../support/rounds.ts'
import { percentile, ratios } from '../support/statistics.ts'
import { type Hook, openWebhookConnection, signedWebhooks } from '../support/webhooks.ts'
import { startWorker } from '../support/worker.ts'
import type { NoOpRunners } from '../workers/no-op-runners.ts'

/** So that everything is at rest before the next event. */
const REST_MS = [10, 25] as const

type Latencies = { pushed: number[]; accepted: number[] }
type Receiver = {
  until(count: number): Promise<unknown>
  times(): Promise<Record<string, { pushedMs: number; acceptedMs: number }>>
}

/** One event at a time through a system at rest: from the first byte of the POST to the push in the runner's process. */
export async function benchLatency(context: BenchContext): Promise<Figure[]> {
  await using first = await startBenchRelay(context)
  await using second = await startBenchRelay(context)
  const samples = Math.round(120 * context.scale)
  const measured = await runRounds(context.rounds, {
    relay: () => throughRelays(first, first, samples),
    relays: () => throughRelays(first, second, samples),
    push: () => throughRaw(context, 'push', samples),
    notify: () => throughRaw(context, 'notify', samples),
  })
  const at = (name: keyof typeof measured, rank: number, what: keyof Latencies = 'pushed') =>
    measured[name].map((one) => percentile(one[what], rank))
  return [
    figure('latency', 'POST to push, one relay, p50', 'ms', at('relay', 50)),
    figure('latency', 'p50 / raw insert + ws push', '×', ratios(at('relay', 50), at('push', 50)), {
      atMost: 1.5,
    }),
    figure('latency', 'p50 / raw LISTEN + SKIP LOCKED', '×', ratios(at('relay', 50), at('notify', 50)), {
      atMost: 1.5,
    }),
    figure('latency', 'POST to push, one relay, p95', 'ms', at('relay', 95)),
    figure('latency', 'POST to push, one relay, p99', 'ms', at('relay', 99)),
    figure('latency', 'POST to accepted, one relay, p50', 'ms', at('relay', 50, 'accepted')),
    figure('latency', 'POST to push, two relays, p50', 'ms', at('relays', 50)),
    figure(
      'latency',
      'two relays p50 / raw LISTEN + SKIP LOCKED',
      '×',
      ratios(at('relays', 50), at('notify', 50)),
      { atMost: 1.5 },
    ),
    figure('latency', 'POST to push, two relays, p99', 'ms', at('relays', 99)),
    figure('latency', 'raw insert + ws push, p50', 'ms', at('push', 50)),
    figure('latency', 'raw LISTEN + SKIP LOCKED, p50', 'ms', at('notify', 50)),
    figure('latency', 'raw LISTEN + SKIP LOCKED, p99', 'ms', at('notify', 99)),
  ]
}

export async function throughRelays(
  intake: BenchRelay,
  home: BenchRelay,
  samples: number,
): Promise<Latencies> {
  const [machine] = await home.addMachines(1)
  if (!machine) throw new Error('No machine was made.')
  const hook = await home.addHook(machine, 'Look at {{ payload.ref }}.')
  await using runner = await startWorker<NoOpRunners>('workers/no-op-runners.ts')
  await runner.call('connect', { url: home.relay.url, keys: [machine.key], slots: 5 })
  return await sendOneByOne(intake.relay.port, hook, samples, {
    until: (count) => runner.call('settled', { count }),
    times: () => runner.call('times', null),
  })
}

async function throughRaw(context: BenchContext, mode: RawQueueMode, samples: number): Promise<Latencies> {
  await using queue = await startWorker<RawQueue>('peers/raw-queue.ts')
  const [secret, { databaseUrl }] = ['raw', context]
  const { port } = await queue.call('start', { mode, databaseUrl, secret })
  return await throughServer({ port, secret, mode, databaseUrl }, samples)
}

/** A peer that takes webhooks at this port; its receiver is a process of its own. */
export async function throughServer(
  peer: { port: number; secret: string; mode: RawQueueMode; databaseUrl: string },
  samples: number,
): Promise<Latencies> {
  await using receiver = await startWorker<RawReceiver>('peers/raw-receiver.ts')
  await receiver.call('start', peer)
  return await sendOneByOne(peer.port, { path: '/', secret: peer.secret }, samples, {
    until: (count) => receiver.call('received', { count }),
    times: () => receiver.call('times', null),
  })
}

async function sendOneByOne(
  port: number,
  hook: Hook,
  samples: number,
  receiver: Receiver,
): Promise<Latencies> {
  const warmUp = 20
  const sent: { id: string; atMs: number }[] = []
  await using connection = await openWebhookConnection(port)
  for (const request of signedWebhooks(warmUp + samples, hook)) {
    await wait(REST_MS[0] + Math.random() * (REST_MS[1] - REST_MS[0]))
    const atMs = nowMs()
    const answer = await connection.send(request)
    const { deliveries } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as { deliveries: string[] }
    sent.push({ id: deliveries[0] ?? '', atMs })
    await receiver.until(sent.length)
  }
  const times = await receiver.times()
  const since = (what: 'pushedMs' | 'acceptedMs') =>
    sent.slice(warmUp).map(({ id, atMs }) => (times[id]?.[what] ?? Number.NaN) - atMs)
  return { pushed: since('pushedMs'), accepted: since('acceptedMs') }
}
