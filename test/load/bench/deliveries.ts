import { insertEvents } from '@baton/db'
import { LEASE_MS } from '@baton/protocol'
import { type BenchMachine, type BenchRelay, startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { cpuOf, cpuOfTree } from '../support/cpu-of.ts'
import { newBenchEvent } from '../support/new-bench-event.ts'
import { nowMs } from '../support/now-ms.ts'
import { type Figure, figure } from '../support/report.ts'
import { runRounds } from '../support/rounds.ts'
import { startWorker } from '../support/worker.ts'
import type { NoOpRunners } from '../workers/no-op-runners.ts'

const SLOTS = 100

type Measured = { perSecond: number; relayUs: number; postgresUs: number; runnersUs: number }

/**
 * A backlog of deliveries that do nothing: leased, pushed, fsynced in the runner's journal, accepted, settled. The
 * runners share one process, so it is the relay, the database and one core of runners that are measured.
 */
export async function benchDeliveries(context: BenchContext): Promise<Figure[]> {
  await using relay = await startBenchRelay(context)
  const measured = await runRounds(context.rounds, {
    one: () => drain(context, relay, 1, Math.round(2_000 * context.scale)),
    ten: () => drain(context, relay, 10, Math.round(8_000 * context.scale)),
  })
  const of = (name: keyof typeof measured, what: keyof Measured) => measured[name].map((one) => one[what])
  return [
    figure('deliveries', 'no-op deliveries, 10 runners', '/s', of('ten', 'perSecond'), { atLeast: 5_000 }),
    figure('deliveries', 'no-op deliveries, 1 runner', '/s', of('one', 'perSecond')),
    figure('deliveries', 'relay CPU per delivery', 'µs', of('ten', 'relayUs')),
    figure('deliveries', 'Postgres CPU per delivery', 'µs', of('ten', 'postgresUs')),
    figure('deliveries', 'runners CPU per delivery', 'µs', of('ten', 'runnersUs')),
  ]
}

export async function drain(
  context: BenchContext,
  relay: BenchRelay,
  runners: number,
  count: number,
): Promise<Measured> {
  const machines = await relay.addMachines(runners)
  const { organization } = await relay.baton.raw.auth.me.query()
  for (let from = 0; from < count; from += 500) {
    const events = Array.from({ length: Math.min(500, count - from) }, (_, index) =>
      newBenchEvent(organization.id, machines[(from + index) % runners] as BenchMachine),
    )
    await insertEvents(context.connection.db, events, LEASE_MS)
  }
  await context.connection.sql`analyze deliveries`
  await context.connection.sql`checkpoint`
  await using worker = await startWorker<NoOpRunners>('workers/no-op-runners.ts')
  const pids = { relay: relay.relay.pid, runners: worker.pid }
  const before = {
    relay: cpuOf(pids.relay),
    runners: cpuOf(pids.runners),
    postgres: cpuOfTree(context.postgresPid),
  }
  const startedMs = nowMs()
  await worker.call('connect', { url: relay.relay.url, keys: machines.map(({ key }) => key), slots: SLOTS })
  const { atMs } = await worker.call('settled', { count })
  const us = (afterMs: number, beforeMs: number) => ((afterMs - beforeMs) * 1000) / count
  return {
    perSecond: count / ((atMs - startedMs) / 1000),
    relayUs: us(cpuOf(pids.relay), before.relay),
    postgresUs: us(cpuOfTree(context.postgresPid), before.postgres),
    runnersUs: us(cpuOf(pids.runners), before.runners),
  }
}
