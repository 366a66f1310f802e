import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nowMs } from '../support/now-ms.ts'
import { serveCalls } from '../support/worker.ts'
import { serveWebhooks } from './serve-webhooks.ts'

/**
 * Two job queues on Postgres, as their own documentation says to use them: in one process without a network, and with what
 * has to be built around one to take a signed webhook to another machine.
 */
export type PeerName = 'graphile-worker' | 'pg-boss'
export type JobQueue = {
  start(input: { name: PeerName; folder: string; databaseUrl: string }): Promise<void>
  /** Durable enqueues by so many callers, each waiting for its own: how many a second. */
  enqueue(input: { callers: number; count: number }): Promise<number>
  /** One job at a time through a queue at rest: ms from the call that adds it to the first line of its handler. */
  latencies(input: { samples: number }): Promise<number[]>
  /** Takes signed webhooks as jobs from now on; the handler sends each to all connected WebSockets. */
  serve(input: { secret: string }): Promise<{ port: number }>
  stopServing(input: null): Promise<void>
  /** Works off jobs that do nothing, `tuned` by every batching option they have: how many a second. */
  drain(input: { count: number; tuned: boolean }): Promise<number>
}

type Payload = { body?: string }
type Job = { id: string; payload: Payload }

type Peer = {
  /** Answers the job's id. */
  add(payload: Payload): Promise<string>
  addMany(count: number): Promise<void>
  /** Empties the queue. */
  clear(): Promise<void>
  /** Works from now on. With `tuned`, for throughput; else for latency. */
  work(mode: 'latency' | 'default' | 'tuned', onJob: (job: Job) => void): Promise<{ stop(): Promise<void> }>
}

let peer: Peer
let stopServing = async () => {}

serveCalls({
  async start({ name, folder, databaseUrl }) {
    peer = await (name === 'pg-boss' ? openPgBoss : openGraphileWorker)(folder, databaseUrl)
  },
  async enqueue({ callers, count }) {
    await peer.clear()
    let left = count
    const startedAt = performance.now()
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (left-- > 0) await peer.add({})
      }),
    )
    return count / ((performance.now() - startedAt) / 1000)
  },
  async latencies({ samples }) {
    await peer.clear()
    let arrived = Promise.withResolvers<number>()
    const worker = await peer.work('latency', () => arrived.resolve(nowMs()))
    const times: number[] = []
    for (let sample = -20; sample < samples; sample++) {
      arrived = Promise.withResolvers()
      await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 15))
      const startedMs = nowMs()
      await peer.add({})
      const tookMs = (await arrived.promise) - startedMs
      if (sample >= 0) times.push(tookMs)
    }
    await worker.stop()
    return times
  },
  async serve({ secret }) {
    await peer.clear()
    const server = await serveWebhooks(secret, (body) => peer.add({ body }))
    const worker = await peer.work('latency', ({ id, payload }) => server.push(id, payload.body ?? ''))
    stopServing = async () => {
      await worker.stop()
      await server[Symbol.asyncDispose]()
    }
    return { port: server.port }
  },
  stopServing: () => stopServing(),
  async drain({ count, tuned }) {
    await peer.clear()
    for (let from = 0; from < count; from += 1_000) await peer.addMany(Math.min(1_000, count - from))
    let done = 0
    const all = Promise.withResolvers<number>()
    const startedMs = nowMs()
    const worker = await peer.work(tuned ? 'tuned' : 'default', () => {
      if (++done === count) all.resolve(nowMs())
    })
    const endedMs = await all.promise
    await worker.stop()
    return count / ((endedMs - startedMs) / 1000)
  },
} satisfies JobQueue)

// biome-ignore lint/suspicious/noExplicitAny: the peers are not installed where types are checked.
type Untyped = any

async function openGraphileWorker(folder: string, connectionString: string): Promise<Peer> {
  const require = createRequire(join(folder, 'package.json'))
  const { run, makeWorkerUtils, Logger } = require('graphile-worker') as Untyped
  const { Pool } = require('pg') as Untyped
  const logger = new Logger(() => () => {})
  const pool = new Pool({ connectionString, max: 66 })
  for (const event of ['error', 'connect'])
    pool.on(event, (given: Untyped) => {
      if (event === 'error') process.stderr.write(`graphile-worker: ${given.message}\n`)
      else given.on('error', () => {})
    })
  const utils = await makeWorkerUtils({ pgPool: pool, logger })
  await utils.migrate()
  return {
    add: async (payload) => String((await utils.addJob('nothing', payload)).id),
    async addMany(count) {
      await utils.addJobs(Array.from({ length: count }, () => ({ identifier: 'nothing', payload: {} })))
    },
    clear: () => pool.query('truncate graphile_worker._private_jobs'),
    async work(mode, onJob) {
      const batching = { localQueue: { size: 2_000 }, completeJobBatchDelay: 0 }
      const runner = await run({
        preset: {
          worker: {
            connectionString,
            concurrentJobs: mode === 'tuned' ? 50 : 10,
            ...(mode === 'tuned' && batching),
          },
        },
        logger,
        noHandleSignals: true,
        taskList: {
          nothing: (payload: Payload, { job }: Untyped) => onJob({ id: String(job.id), payload }),
        },
      })
      return { stop: () => runner.stop() }
    },
  }
}

async function openPgBoss(folder: string, connectionString: string): Promise<Peer> {
  const entry = pathToFileURL(join(folder, 'node_modules/pg-boss/dist/index.js')).href
  const { PgBoss } = (await import(entry)) as Untyped
  const boss = new PgBoss({ connectionString, max: 66, useListenNotify: true })
  boss.on('error', (error: Error) => process.stderr.write(`pg-boss: ${error.message}\n`))
  await boss.start()
  await boss.createQueue('nothing', { notify: true })
  return {
    add: (payload) => boss.send('nothing', payload),
    async addMany(count) {
      await boss.insert(
        'nothing',
        Array.from({ length: count }, () => ({ data: {} })),
      )
    },
    clear: () => boss.deleteAllJobs('nothing'),
    async work(mode, onJob) {
      const options = {
        latency: { pollingIntervalSeconds: 0.5 },
        default: { pollingIntervalSeconds: 0.5, batchSize: 10, burstWhenBatchFull: true },
        tuned: {
          pollingIntervalSeconds: 0.5,
          batchSize: 1_000,
          localConcurrency: 2,
          burstWhenBatchFull: true,
        },
      }[mode]
      const id = await boss.work('nothing', options, async (jobs: { id: string; data: Payload }[]) => {
        for (const { id, data } of jobs) onJob({ id, payload: data })
      })
      return { stop: () => boss.offWork('nothing', { id, wait: true }) }
    },
  }
}
