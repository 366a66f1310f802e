import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Connection, connect } from '@baton/db'
import { startDurablePostgres } from '@baton/testkit'
import { measureCurves } from './bench/curves.ts'
import { benchDeliveries } from './bench/deliveries.ts'
import { benchEnqueue } from './bench/enqueue.ts'
import { benchIntake } from './bench/intake.ts'
import { benchLatency } from './bench/latency.ts'
import { benchMemory } from './bench/memory.ts'
import { benchPeers } from './bench/peers.ts'
import { benchRunner } from './bench/runner.ts'
import { benchStreaming } from './bench/streaming.ts'
import type { BenchContext } from './support/context.ts'
import { parentOf } from './support/cpu-of.ts'
import { drawPlot } from './support/plot.ts'
import { type Figure, formatTable } from './support/report.ts'

const USAGE = `Usage: npm run bench -- [--quick] [--only intake,latency,…] [--json <file>] [--plots <folder>] [--profile <folder for CPU profiles>]
  Measures this machine against peers in the same run and against the targets of docs/performance.md.`

const BENCHES: Record<string, (context: BenchContext) => Promise<Figure[]>> = {
  intake: benchIntake,
  enqueue: benchEnqueue,
  latency: benchLatency,
  deliveries: benchDeliveries,
  streaming: benchStreaming,
  memory: benchMemory,
  runner: benchRunner,
  peers: benchPeers,
  curves: benchCurves,
}

/** A Postgres that syncs to disk as in production, with room so that no checkpoint of one contestant slows the next. */
const PROFILE_FLAGS = [
  'shared_preload_libraries=pg_stat_statements',
  'pg_stat_statements.track=all',
  'track_io_timing=on',
]
const POSTGRES_FLAGS = [
  'shared_buffers=256MB',
  'max_wal_size=4GB',
  'checkpoint_timeout=30min',
  'max_connections=200',
]

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      plots: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const names = values.only?.split(',') ?? Object.keys(BENCHES)
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name))
  if (values.help || unknown.length > 0) {
    const problem = unknown.length > 0 ? `There is no benchmark "${unknown.join(', ')}".\n` : ''
    process.stderr.write(`${problem}${USAGE}\nBenchmarks: ${Object.keys(BENCHES).join(', ')}\n`)
    return values.help ? 0 : 2
  }
  const figures = await measure(names, values.quick, values)
  process.stdout.write(`${formatTable(figures)}\n`)
  if (values.json) {
    const machine = { cpus: os.availableParallelism(), memoryGb: Math.round(os.totalmem() / 2 ** 30) }
    const result = { at: new Date().toISOString(), node: process.version, machine, figures }
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
  }
  return 0
}

async function measure(
  names: string[],
  quick: boolean,
  folders: { plots?: string | undefined; profile?: string | undefined },
): Promise<Figure[]> {
  const profileDir = folders.profile ?? null
  await using postgres = await startDurablePostgres({
    flags: [...POSTGRES_FLAGS, ...(profileDir ? PROFILE_FLAGS : [])],
  })
  const connection = connect(postgres.url, { max: 2, name: 'baton bench' })
  try {
    if (profileDir) await connection.sql`create extension pg_stat_statements`
    const [server] = await connection.sql<{ pid: number }[]>`select pg_backend_pid() as pid`
    const context: BenchContext = {
      databaseUrl: postgres.url,
      connection,
      postgresPid: parentOf(server?.pid ?? 0),
      rounds: quick ? 1 : 3,
      profileDir,
      plotsDir: folders.plots ?? null,
      scale: quick ? 0.5 : 1,
      say: (line) => process.stderr.write(`${line}\n`),
    }
    const figures: Figure[] = []
    for (const name of names) {
      const startedAt = performance.now()
      // One that fails does not take the figures of the others with it.
      await BENCHES[name]?.(context).then(
        (measured) => figures.push(...measured),
        (error: unknown) => {
          context.say(`${name} FAILED: ${(error as Error).stack ?? String(error)}`)
          process.exitCode = 1
        },
      )
      if (profileDir) context.say(await statementTimes(connection))
      context.say(`${name}: ${Math.round((performance.now() - startedAt) / 1000)} s`)
    }
    return figures
  } finally {
    await connection.close()
  }
}

/** The curves; their plots are drawn where they are asked for. */
async function benchCurves(context: BenchContext): Promise<Figure[]> {
  const { figures, plots } = await measureCurves(context)
  if (context.plotsDir === null) return figures
  mkdirSync(context.plotsDir, { recursive: true })
  for (const [name, plot] of Object.entries(plots))
    writeFileSync(join(context.plotsDir, `${name}.svg`), drawPlot(plot))
  return figures
}

/** Where the time of Postgres went since the last call. */
async function statementTimes({ sql }: Connection): Promise<string> {
  const rows = await sql<{ calls: number; ms: number; mean: number; rows: number; query: string }[]>`
    select calls, total_exec_time as ms, mean_exec_time as mean, rows, regexp_replace(query, '\\s+', ' ', 'g') as query
    from pg_stat_statements order by total_exec_time desc limit 14`
  await sql`select pg_stat_statements_reset()`
  return rows
    .map(
      (row) =>
        `${row.ms.toFixed(0).padStart(8)} ms ${String(row.calls).padStart(7)} calls ${row.mean.toFixed(2).padStart(8)} ms  ${String(row.rows).padStart(7)} rows  ${row.query.slice(0, 150)}`,
    )
    .join('\n')
}

process.exitCode = (await main()) || process.exitCode
