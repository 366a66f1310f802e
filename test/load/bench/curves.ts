import { leaseDeliveries } from '@baton/db'
import { LEASE_MS } from '@baton/protocol'
import { type BenchRelay, startBenchRelay } from '../support/bench-relay.ts'
import type { BenchContext } from '../support/context.ts'
import { residentKb } from '../support/cpu-of.ts'
import type { Plot } from '../support/plot.ts'
import { type Figure, figure } from '../support/report.ts'
import { percentile } from '../support/statistics.ts'
import { startWorker } from '../support/worker.ts'
import type { IdleRunners } from '../workers/idle-runners.ts'
import { throughRelays } from './latency.ts'
import { addIdleMachines } from './memory.ts'
import { overRelay } from './streaming.ts'

const BACKLOGS = [0, 1_000, 10_000, 100_000, 1_000_000]
const CONNECTIONS = [0, 100, 400, 1_000]
const VIEWERS = [1, 5, 10, 25, 50]

export type Curves = { figures: Figure[]; plots: Record<string, Plot> }

/** What grows with what waits, with who is connected and with who watches; and what must not. */
export async function measureCurves(context: BenchContext): Promise<Curves> {
  const parts = [await backlogCurve(context), await connectionCurve(context), await viewerCurve(context)]
  return {
    figures: parts.flatMap((part) => part.figures),
    plots: Object.assign({}, ...parts.map((part) => part.plots)),
  }
}

/** Leases of five deliveries out of what waits for one machine, with and without folders of their own. */
async function backlogCurve(context: BenchContext): Promise<Curves> {
  await using relay = await startBenchRelay(context)
  const { organization } = await relay.baton.raw.auth.me.query()
  const sizes = BACKLOGS.filter((size) => size <= 1_000_000 * context.scale)
  const times: { size: number; p50: number; p99: number }[] = []
  for (const size of sizes) {
    const [machine] = await relay.addMachines(1)
    if (!machine) throw new Error('No machine was made.')
    await addBacklog(context, organization.id, machine.id, machine.agentId, size)
    const sessionEpoch = await openEpoch(context, machine.id)
    const took: number[] = []
    for (let lease = 0; lease < 150; lease++) {
      const startedAt = performance.now()
      const leased = await leaseDeliveries(context.connection.db, machine.id, {
        sessionEpoch,
        slots: 5,
        leaseMs: LEASE_MS,
        bodyBytes: 1_000,
      })
      took.push(performance.now() - startedAt)
      if (size > 0 && leased.length !== 5) throw new Error(`${leased.length} were leased in place of 5.`)
      await context.connection.sql`update deliveries set state = 'pending', lease_expires_at = null
        where machine_id = ${machine.id} and state = 'leased'`
    }
    times.push({ size, p50: percentile(took, 50), p99: percentile(took, 99) })
  }
  return {
    figures: times.flatMap(({ size, p50, p99 }) => [
      figure('curves', `lease of 5, ${size.toLocaleString('en-US')} waiting, p50`, 'ms', [p50]),
      figure('curves', `lease of 5, ${size.toLocaleString('en-US')} waiting, p99`, 'ms', [p99], {
        atMost: 50,
      }),
    ]),
    plots: {
      backlog: {
        title: 'Leasing five deliveries while more wait for the machine',
        x: 'deliveries waiting',
        y: 'ms',
        xScale: 'log',
        series: [
          { name: 'p50', points: times.map(({ size, p50 }) => ({ x: size, y: p50 })) },
          { name: 'p99', points: times.map(({ size, p99 }) => ({ x: size, y: p99 })) },
        ],
      },
    },
  }
}

async function addBacklog(
  { connection }: BenchContext,
  organizationId: string,
  machineId: string,
  agentId: string,
  size: number,
): Promise<void> {
  if (size === 0) return
  const { sql } = connection
  const eventId = `evt_${'0'.repeat(26)}${Math.random().toString(16).slice(2, 8).padEnd(6, '0')}`
  await sql`insert into events (id, organization_id, source, state, dedup_scope, dedup_key, body_hash, body)
    values (${eventId}, ${organizationId}, 'manual', 'matched', 'bench', ${eventId}, ${eventId}, '{}')`
  for (let from = 0; from < size; from += 20_000) {
    await sql`
      insert into deliveries (id, organization_id, event_id, agent_id, machine_id, run_id, prompt, limits)
      select 'dlv_' || uuid7_hex(), ${organizationId}, ${eventId}, ${agentId}, ${machineId}, 'run_' || uuid7_hex(),
        'Do nothing.', '{}'
      from generate_series(1, ${Math.min(20_000, size - from)}::int)`
  }
  await sql`analyze deliveries`
}

async function openEpoch({ connection }: BenchContext, machineId: string): Promise<number> {
  const [row] = await connection.sql<{ epoch: number }[]>`
    update machines set session_epoch = session_epoch + 1 where id = ${machineId} returning session_epoch as epoch`
  return row?.epoch ?? 0
}

/** One event at a time to one runner while others are connected and idle. */
async function connectionCurve(context: BenchContext): Promise<Curves> {
  await using relay = await startBenchRelay(context)
  const counts = CONNECTIONS.filter((count) => count <= 1_000 * context.scale)
  const keys = await addIdleMachines(context, relay, Math.max(...counts))
  await using worker = await startWorker<IdleRunners>('workers/idle-runners.ts')
  const measured: { count: number; p50: number; p99: number; mb: number }[] = []
  let connected = 0
  for (const count of counts) {
    await worker.call('connect', { url: relay.relay.url, keys: keys.slice(connected, count) })
    connected = count
    const { pushed } = await throughRelays(relay, relay, Math.round(100 * context.scale))
    const mb = residentKb(relay.relay.pid) / 1_024
    measured.push({ count, p50: percentile(pushed, 50), p99: percentile(pushed, 99), mb })
  }
  const points = (what: 'p50' | 'p99' | 'mb') => measured.map((one) => ({ x: one.count, y: one[what] }))
  return {
    figures: measured.flatMap(({ count, p50, p99 }) => [
      figure('curves', `POST to push, ${count} other runners, p50`, 'ms', [p50]),
      figure('curves', `POST to push, ${count} other runners, p99`, 'ms', [p99]),
    ]),
    plots: {
      connections: {
        title: 'POST to push while other runners are connected',
        x: 'other runners connected',
        y: 'ms',
        xScale: 'linear',
        series: [
          { name: 'p50', points: points('p50') },
          { name: 'p99', points: points('p99') },
        ],
      },
      memory: {
        title: 'Resident memory of the relay',
        x: 'runners connected',
        y: 'MB',
        xScale: 'linear',
        series: [{ name: 'one relay process', points: points('mb') }],
      },
    },
  }
}

/** The lines of one run, followed by more and more viewers on sockets of their own. */
async function viewerCurve(context: BenchContext): Promise<Curves> {
  await using relay: BenchRelay = await startBenchRelay(context)
  const measured: { viewers: number; perSecond: number; serverUs: number }[] = []
  for (const viewers of VIEWERS) {
    const lines = Math.round((400_000 * context.scale) / (viewers + 4))
    const { perSecond, serverUs } = await overRelay(context, relay, viewers, lines)
    measured.push({ viewers, perSecond, serverUs })
  }
  return {
    figures: measured.flatMap(({ viewers, perSecond, serverUs }) => [
      figure('curves', `lines stored and followed by ${viewers}`, '/s', [perSecond]),
      figure('curves', `relay CPU per line and viewer, ${viewers} viewers`, 'µs', [serverUs / viewers]),
    ]),
    plots: {
      viewers: {
        title: 'Lines of one run, stored and followed by all viewers',
        x: 'viewers',
        y: 'lines a second',
        xScale: 'linear',
        series: [
          { name: 'lines stored', points: measured.map((one) => ({ x: one.viewers, y: one.perSecond })) },
          {
            name: 'lines delivered',
            points: measured.map((one) => ({ x: one.viewers, y: one.perSecond * one.viewers })),
          },
        ],
      },
    },
  }
}
