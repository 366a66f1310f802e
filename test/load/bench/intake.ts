import type { RawIntake, RawIntakeMode } from '../peers/raw-intake.ts'
import { startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { cpuOf, cpuOfTree } from '../support/cpu-of.ts'
import { type Figure, figure } from '../support/report.ts'
import { runRounds } from '../support/rounds.ts'
import { ratios } from '../support/statistics.ts'
import { startWorker } from '../support/worker.ts'
import type { SendWebhooks, Sent } from '../workers/send-webhooks.ts'

const CONNECTIONS = 32
const PROMPT =
  'Look at {{ payload.ref }} of {{ payload.repository.full_name }}, pushed by {{ payload.pusher.name }}.'

type Target = { port: number; pid: number; path: string; secret: string; count: number }
type Measured = Sent & { serverUs: number; postgresUs: number }

/** Signed webhooks of a real size over 32 connections until each is answered 202 and, but for the bare server, stored. */
export async function benchIntake(context: BenchContext): Promise<Figure[]> {
  await using sender = await startWorker<SendWebhooks>('workers/send-webhooks.ts')
  await using relay = await startBenchRelay(context)
  const [machine] = await relay.addMachines(1)
  if (!machine) throw new Error('No machine was made.')
  const hook = await relay.addHook(machine, PROMPT)
  const count = Math.round(8_000 * context.scale)
  // As many as are measured: V8 compiles what is hot only after some thousand requests.
  const warmUp = count

  const measure = async (target: Target): Promise<Measured> => {
    await sender.call('prepare', target)
    await context.connection.sql`checkpoint`
    const serverMs = cpuOf(target.pid)
    const postgresMs = cpuOfTree(context.postgresPid)
    const sent = await sender.call('send', { port: target.port, connections: CONNECTIONS, expect: 202 })
    if (sent.wrong > 0)
      throw new Error(`${sent.wrong} of ${target.count} webhooks got another answer than 202.`)
    return {
      ...sent,
      serverUs: ((cpuOf(target.pid) - serverMs) * 1000) / target.count,
      postgresUs: ((cpuOfTree(context.postgresPid) - postgresMs) * 1000) / target.count,
    }
  }
  const raw = (mode: RawIntakeMode, requests: number) => async () => {
    await using peer = await startWorker<RawIntake>('peers/raw-intake.ts')
    const { port } = await peer.call('start', { mode, databaseUrl: context.databaseUrl, secret: 'raw' })
    const target = { port, pid: peer.pid, path: '/hooks/raw', secret: 'raw', count: requests }
    await measure({ ...target, count: warmUp })
    return await measure(target)
  }
  const relayTarget = { port: relay.relay.port, pid: relay.relay.pid, ...hook }
  await measure({ ...relayTarget, count: warmUp })
  const measured = await runRounds(context.rounds, {
    relay: () => measure({ ...relayTarget, count }),
    bare: raw('bare', 2 * count),
    group: raw('group', count),
    single: raw('single', Math.round(count / 2)),
  })

  const rate = (name: keyof typeof measured) => measured[name].map((one) => one.perSecond)
  const ofBare = (name: keyof typeof measured) => ratios(rate(name), rate('bare'))
  return [
    figure('intake', 'relay', 'req/s', rate('relay')),
    figure('intake', 'relay / bare node:http + HMAC', '×', ofBare('relay'), { atLeast: 0.25 }),
    figure('intake', 'relay / raw group commit', '×', ratios(rate('relay'), rate('group'))),
    figure('intake', 'relay / one insert per request', '×', ratios(rate('relay'), rate('single')), {
      atLeast: 1,
    }),
    figure(
      'intake',
      'relay p50',
      'ms',
      measured.relay.map((one) => one.p50Ms),
    ),
    figure(
      'intake',
      'relay p99',
      'ms',
      measured.relay.map((one) => one.p99Ms),
    ),
    figure(
      'intake',
      'relay CPU per webhook',
      'µs',
      measured.relay.map((one) => one.serverUs),
    ),
    figure(
      'intake',
      'Postgres CPU per webhook',
      'µs',
      measured.relay.map((one) => one.postgresUs),
    ),
    figure('intake', 'bare node:http + HMAC', 'req/s', rate('bare')),
    figure(
      'intake',
      'bare CPU per webhook',
      'µs',
      measured.bare.map((one) => one.serverUs),
    ),
    figure('intake', 'raw group commit', 'req/s', rate('group')),
    figure(
      'intake',
      'raw group CPU per webhook',
      'µs',
      measured.group.map((one) => one.serverUs),
    ),
    figure(
      'intake',
      'raw group Postgres CPU',
      'µs',
      measured.group.map((one) => one.postgresUs),
    ),
    figure('intake', 'one insert per request', 'req/s', rate('single')),
  ]
}
