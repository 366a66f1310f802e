import type { RawStream } from '../peers/raw-stream.ts'
import { type BenchRelay, startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { cpuOf, cpuOfTree } from '../support/cpu-of.ts'
import { type Figure, figure } from '../support/report.ts'
import { runRounds } from '../support/rounds.ts'
import { percentile, ratios } from '../support/statistics.ts'
import { startWorker, type Worker } from '../support/worker.ts'
import type { ProduceLines } from '../workers/produce-lines.ts'
import type { ViewLines } from '../workers/view-lines.ts'

const STEADY = { perSecond: 20_000, seconds: 2 }

type Measured = { perSecond: number; serverUs: number; postgresUs: number; lagP50: number; lagP99: number }

/** Lines of a run: produced, stored, followed. Relay, producer and viewers are processes of their own. */
export async function benchStreaming(context: BenchContext): Promise<Figure[]> {
  await using relay = await startBenchRelay(context)
  const lines = Math.round(200_000 * context.scale)
  const measured = await runRounds(context.rounds, {
    one: () => overRelay(context, relay, 1, lines),
    ten: () => overRelay(context, relay, 10, lines),
    rawOne: () => overRaw(context, 1, lines),
    rawTen: () => overRaw(context, 10, lines),
  })
  const of = (name: keyof typeof measured, what: keyof Measured = 'perSecond') =>
    measured[name].map((one) => one[what])
  return [
    figure('streaming', 'lines stored and followed by 1', '/s', of('one'), { atLeast: 250_000 }),
    figure('streaming', '1 viewer / raw ws and insert', '×', ratios(of('one'), of('rawOne')), {
      atLeast: 0.39,
    }),
    figure('streaming', 'lines stored and followed by 10', '/s', of('ten'), { atLeast: 140_000 }),
    figure('streaming', '10 viewers / raw ws and insert', '×', ratios(of('ten'), of('rawTen')), {
      atLeast: 0.33,
    }),
    figure('streaming', 'relay CPU per line, 1 viewer', 'µs', of('one', 'serverUs')),
    figure('streaming', 'relay CPU per line, 10 viewers', 'µs', of('ten', 'serverUs')),
    figure('streaming', 'Postgres CPU per line', 'µs', of('one', 'postgresUs')),
    figure('streaming', 'raw, 1 viewer', '/s', of('rawOne')),
    figure('streaming', 'raw, 10 viewers', '/s', of('rawTen')),
    figure('streaming', 'lag at 20,000 lines/s, p50', 'ms', of('one', 'lagP50')),
    figure('streaming', 'lag at 20,000 lines/s, p99', 'ms', of('one', 'lagP99')),
    figure('streaming', 'raw lag at 20,000 lines/s, p50', 'ms', of('rawOne', 'lagP50')),
  ]
}

export async function overRelay(
  context: BenchContext,
  relay: BenchRelay,
  viewers: number,
  lines: number,
): Promise<Measured> {
  const [machine] = await relay.addMachines(1)
  if (!machine) throw new Error('No machine was made.')
  const { runId } = await relay.baton.raw.runs.create.mutate({
    prompt: 'Print lines.',
    agent: machine.agentKey,
  })
  await using producer = await startWorker<ProduceLines>('workers/produce-lines.ts')
  await using audience = await startWorker<ViewLines>('workers/view-lines.ts')
  const run = await producer.call('overRelay', { url: relay.relay.url, key: machine.key })
  if (run.runId !== runId) throw new Error('Another run was pushed.')
  await audience.call('overRelay', { url: relay.relay.url, token: relay.token, runId, viewers })
  const measured = await measure(context, relay.relay.pid, producer, audience, lines)
  await producer.call('end', null)
  return measured
}

async function overRaw(context: BenchContext, viewers: number, lines: number): Promise<Measured> {
  await using peer = await startWorker<RawStream>('peers/raw-stream.ts')
  await using producer = await startWorker<ProduceLines>('workers/produce-lines.ts')
  await using audience = await startWorker<ViewLines>('workers/view-lines.ts')
  const { port } = await peer.call('start', { databaseUrl: context.databaseUrl })
  await producer.call('overRaw', { port })
  await audience.call('overRaw', { port, viewers })
  return await measure(context, peer.pid, producer, audience, lines)
}

async function measure(
  context: BenchContext,
  serverPid: number,
  producer: Worker<ProduceLines>,
  audience: Worker<ViewLines>,
  lines: number,
): Promise<Measured> {
  const warm = await producer.call('flood', { lines: 20_000 })
  await audience.call('seen', { events: warm.events })
  await audience.call('reset', null)
  await context.connection.sql`checkpoint`
  const serverMs = cpuOf(serverPid)
  const postgresMs = cpuOfTree(context.postgresPid)
  const flood = await producer.call('flood', { lines })
  const { atMs } = await audience.call('seen', { events: flood.events })
  const us = (afterMs: number, beforeMs: number) => ((afterMs - beforeMs) * 1000) / flood.lines
  const result = {
    perSecond: flood.lines / ((Math.max(atMs, flood.storedMs) - flood.startedMs) / 1000),
    serverUs: us(cpuOf(serverPid), serverMs),
    postgresUs: us(cpuOfTree(context.postgresPid), postgresMs),
  }
  await audience.call('reset', null)
  const steady = await producer.call('steady', STEADY)
  await audience.call('seen', { events: steady.events })
  const lags = await audience.call('lags', null)
  return { ...result, lagP50: percentile(lags, 50), lagP99: percentile(lags, 99) }
}
