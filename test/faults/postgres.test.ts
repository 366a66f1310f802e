import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { connect, sql } from '@baton/db'
import { connectWireRunner, startDurablePostgres, startTestRelay } from '@baton/testkit'
import { expect, test } from 'vitest'
import { createRandom, printSeed } from './support/seed.ts'

printSeed('postgres')
const random = createRandom()
const RESTARTS = process.env.FAULTS === 'large' ? 60 : 10
const WORKERS = 32

test('pools live through crashes of Postgres while they connect: no error that nobody waits for, and arrays stay arrays', async () => {
  await using postgres = await startDurablePostgres()
  const unheard: unknown[] = []
  const hear = (error: unknown) => void unheard.push(error)
  process.on('unhandledRejection', hear).on('uncaughtException', hear)
  const pools = Array.from({ length: 4 }, () => connect(postgres.url, { max: 8 }))
  const codes = new Map<string, number>()
  let isOver = false
  let longestMs = 0
  const workers = Array.from({ length: WORKERS }, async (_, index) => {
    const pool = pools[index % pools.length] as (typeof pools)[number]
    while (!isOver) {
      const since = performance.now()
      try {
        await sql`select * from unnest(${['a,"b\\', null, 'ü']}::text[]) as one`.execute(pool.db)
      } catch (error) {
        const { code = 'none' } = error as { code?: string }
        codes.set(code, (codes.get(code) ?? 0) + 1)
        await wait(5)
      }
      longestMs = Math.max(longestMs, performance.now() - since)
    }
  })
  try {
    for (let restart = 0; restart < RESTARTS; restart++) {
      await wait(random() * 60)
      await postgres.restart('immediate')
    }
  } finally {
    isOver = true
    await Promise.all(workers)
    await Promise.all(pools.map((pool) => pool.close()))
    process.off('unhandledRejection', hear).off('uncaughtException', hear)
  }
  expect(unheard).toEqual([])
  expect([...codes.keys()].filter((code) => /^(22|42)/.test(code))).toEqual([])
  expect(codes.size).toBeGreaterThan(0)
  expect(longestMs).toBeLessThan(5_000)
}, 120_000)

test('while Postgres stands still every call is refused within seven seconds, and works again afterwards', async () => {
  await using postgres = await startDurablePostgres()
  await using relay = await startTestRelay({ databaseUrl: postgres.url })
  const { machineKey, token } = await relay.setup<{ machineKey: string; token: string }>({
    machineName: 'laptop',
    wantMachineKey: true,
    wantToken: true,
  })
  await using runner = await connectWireRunner(relay.url, machineKey)
  runner.subscribe({ slots: 1, onPush: () => {} })
  await runner.api.runner.renew.mutate({ deliveries: [], heartbeat: true })
  const calls = [
    () => fetch(`${relay.url}/readyz`).then(({ status }) => status === 200),
    () =>
      fetch(`${relay.url}/hooks/nothing`, { method: 'POST', body: '{}' }).then(
        ({ status }) => status === 404,
      ),
    () =>
      runner.api.runner.renew.mutate({ deliveries: [], heartbeat: true }).then(
        () => true,
        () => false,
      ),
    () =>
      fetch(`${relay.url}/trpc/overview.get`, { headers: { authorization: `Bearer ${token}` } }).then(
        ({ ok }) => ok,
      ),
  ]
  const pids = await postgresProcesses(postgres.url)
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    const answers = await Promise.all(
      calls.map((call) => Promise.race([call(), wait(7_000, 'hung', { ref: false })])),
    )
    expect(answers).toEqual(calls.map(() => false))
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
  expect(await Promise.all(calls.map((call) => call()))).toEqual(calls.map(() => true))
}, 60_000)

/** The server of this database with all its children, but for the one that was asked. */
async function postgresProcesses(url: string): Promise<number[]> {
  const connection = connect(url, { max: 1 })
  try {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(connection.db)
    const parents = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
    const parent = parents.find(([pid]) => pid === rows[0]?.pid)?.[1]
    if (parent === undefined) throw new Error('The server process was not found.')
    return [
      parent,
      ...parents.filter(([pid, ppid]) => ppid === parent && pid !== rows[0]?.pid).map(([pid]) => pid),
    ]
  } finally {
    await connection.close()
  }
}
