import { connect, type InsertedEvent, insertEvents, type NewEvent } from '@baton/db'
import { LEASE_MS } from '@baton/protocol'
import { createBatcher } from '@baton/service'
import { installPeers } from '../peers/install-peers.ts'
import type { JobQueue, PeerName } from '../peers/job-queue.ts'
import { type BenchRelay, startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { newBenchEvent } from '../support/new-bench-event.ts'
import { type Figure, figure } from '../support/report.ts'
import { runRounds } from '../support/rounds.ts'
import { percentile, ratios } from '../support/statistics.ts'
import { startWorker, type Worker } from '../support/worker.ts'
import { drain } from './deliveries.ts'
import { enqueue } from './enqueue.ts'
import { throughRelays, throughServer } from './latency.ts'

const CALLERS = [1, 16, 64] as const
const PEERS = ['graphile-worker', 'pg-boss'] as const satisfies readonly PeerName[]

/**
 * Baton beside two job queues on the same Postgres. Their handlers run in the process that adds the jobs, without a
 * network, and for the latency also behind what a webhook needs: HTTP, a signature, and a WebSocket to another process.
 * Baton's runner is always a process of its own behind a WebSocket and syncs every delivery to its disk.
 */
export async function benchPeers(context: BenchContext): Promise<Figure[]> {
  const peers = await installPeers()
  if ('missing' in peers) {
    context.say(`peers: left out, the job queues could not be installed: ${peers.missing}`)
    return []
  }
  await using graphile = await startPeer(context, 'graphile-worker', peers.folder)
  await using boss = await startPeer(context, 'pg-boss', peers.folder)
  await using relay = await startBenchRelay(context)
  const queues = { 'graphile-worker': graphile, 'pg-boss': boss }
  return [
    ...(await compareEnqueue(context, relay, queues)),
    ...(await compareLatency(context, relay, queues)),
    ...(await compareDrain(context, relay, queues)),
  ]
}

type Queues = Record<PeerName, Worker<JobQueue>>

async function startPeer(context: BenchContext, name: PeerName, folder: string): Promise<Worker<JobQueue>> {
  const worker = await startWorker<JobQueue>('peers/job-queue.ts')
  await worker.call('start', { name, folder, databaseUrl: context.databaseUrl })
  return worker
}

async function compareEnqueue(context: BenchContext, relay: BenchRelay, queues: Queues): Promise<Figure[]> {
  const [machine] = await relay.addMachines(1)
  if (!machine) throw new Error('No machine was made.')
  const { organization } = await relay.baton.raw.auth.me.query()
  const connection = connect(context.databaseUrl, { max: 4, name: 'baton bench' })
  const events = createBatcher<NewEvent, InsertedEvent>({
    flush: (together) => insertEvents(connection.db, together, LEASE_MS),
    maxItems: 256,
  })
  const figures: Figure[] = []
  try {
    for (const callers of CALLERS) {
      const count = (many: number) => Math.round((many * context.scale * (callers + 16)) / 80)
      const measured = await runRounds(context.rounds, {
        baton: () =>
          enqueue(callers, count(12_000), () => events.add(newBenchEvent(organization.id, machine))),
        'graphile-worker': () => queues['graphile-worker'].call('enqueue', { callers, count: count(4_000) }),
        'pg-boss': () => queues['pg-boss'].call('enqueue', { callers, count: count(6_000) }),
      })
      const callersText = callers === 1 ? '1 caller' : `${callers} callers`
      figures.push(figure('peers', `enqueue, ${callersText}: Baton`, '/s', measured.baton))
      for (const name of PEERS) {
        figures.push(
          figure('peers', `enqueue, ${callersText}: ${name}`, '/s', measured[name]),
          figure(
            'peers',
            `enqueue, ${callersText}: Baton / ${name}`,
            '×',
            ratios(measured.baton, measured[name]),
            {
              atLeast: 1,
            },
          ),
        )
      }
    }
    return figures
  } finally {
    await connection.close()
  }
}

async function compareLatency(context: BenchContext, relay: BenchRelay, queues: Queues): Promise<Figure[]> {
  const samples = Math.round(120 * context.scale)
  const p50 = (times: number[]) => percentile(times, 50)
  const measured = await runRounds(context.rounds, {
    baton: async () => p50((await throughRelays(relay, relay, samples)).pushed),
    'graphile-worker': async () => p50(await queues['graphile-worker'].call('latencies', { samples })),
    'pg-boss': async () => p50(await queues['pg-boss'].call('latencies', { samples })),
    'graphile-worker served': async () => p50(await throughPeer(context, queues['graphile-worker'], samples)),
    'pg-boss served': async () => p50(await throughPeer(context, queues['pg-boss'], samples)),
  })
  return [
    figure('peers', 'idle, POST to push over a WebSocket, p50: Baton', 'ms', measured.baton),
    ...PEERS.flatMap((name) => [
      figure(
        'peers',
        `idle, signed POST, durable add, handler, WebSocket, p50: ${name}`,
        'ms',
        measured[`${name} served`],
      ),
      figure(
        'peers',
        `idle, POST to push, p50: Baton / ${name}`,
        '×',
        ratios(measured.baton, measured[`${name} served`]),
        { atMost: 1 },
      ),
      figure('peers', `idle, add to handler in one process, p50: ${name}`, 'ms', measured[name]),
      figure(
        'peers',
        `idle, p50: Baton / ${name} in one process`,
        '×',
        ratios(measured.baton, measured[name]),
        { atMost: 1 },
      ),
    ]),
  ]
}

/** The same way as Baton's: the same request and signature in, the same bytes over a WebSocket to another process. */
async function throughPeer(
  { databaseUrl }: BenchContext,
  queue: Worker<JobQueue>,
  samples: number,
): Promise<number[]> {
  const secret = 'peer'
  const { port } = await queue.call('serve', { secret })
  try {
    return (await throughServer({ port, secret, mode: 'push', databaseUrl }, samples)).pushed
  } finally {
    await queue.call('stopServing', null)
  }
}

async function compareDrain(context: BenchContext, relay: BenchRelay, queues: Queues): Promise<Figure[]> {
  const count = Math.round(20_000 * context.scale)
  const measured = await runRounds(1, {
    baton: async () => (await drain(context, relay, 10, count)).perSecond,
    'graphile-worker': () => queues['graphile-worker'].call('drain', { count, tuned: false }),
    'graphile-worker, tuned': () => queues['graphile-worker'].call('drain', { count, tuned: true }),
    'pg-boss': () => queues['pg-boss'].call('drain', { count, tuned: false }),
    'pg-boss, tuned': () => queues['pg-boss'].call('drain', { count, tuned: true }),
  })
  const { baton, ...others } = measured
  return [
    figure('peers', 'drain of 20,000: Baton, 10 runners', '/s', baton),
    ...Object.entries(others).map(([name, values]) =>
      figure('peers', `drain of 20,000: ${name}, no network`, '/s', values),
    ),
  ]
}
