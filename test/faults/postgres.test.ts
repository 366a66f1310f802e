import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { connect, sql } from '@baton/db'
import { Baton } from '@baton/sdk'
import {
  connectWireRunner,
  startDurablePostgres,
  startTcpProxy,
  startTestRelay,
  type TestRelay,
} from '@baton/testkit'
import { signRequest } from '@baton/webhooks'
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
  // The limit of a statement. It is reached when a backend that was being started holds up the end of the server for 5 s.
  expect(longestMs).toBeLessThan(6_000)
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

test('connections to Postgres that go half-open are replaced: calls are refused in time, and nothing acknowledged is lost', async () => {
  await using postgres = await startDurablePostgres()
  const direct = new URL(postgres.url)
  await using proxy = await startTcpProxy(Number(direct.port))
  const through = new URL(postgres.url)
  through.port = String(proxy.port)
  await using relay = await startTestRelay({ databaseUrl: through.href })
  const hook = await makeHook(relay)
  const acknowledged: string[] = []
  let longestMs = 0
  const send = async () => {
    const startedAt = performance.now()
    const eventId = await hook.send().catch(() => null)
    longestMs = Math.max(longestMs, performance.now() - startedAt)
    if (eventId) acknowledged.push(eventId)
    return eventId !== null
  }
  expect(await send()).toBe(true)
  for (let time = 0; time < (process.env.FAULTS === 'large' ? 5 : 1); time++) {
    proxy.freeze()
    const frozenAt = performance.now()
    while (!(await send())) expect(performance.now() - frozenAt).toBeLessThan(15_000)
    for (let more = 0; more < 5; more++) expect(await send()).toBe(true)
  }
  expect(longestMs).toBeLessThan(7_000)
  expect(await storedEvents(postgres.url)).toEqual(expect.arrayContaining(acknowledged))
}, 120_000)

test('while every connection to Postgres is ended again and again, the relay lives and loses nothing that it acknowledged', async () => {
  await using postgres = await startDurablePostgres()
  await using relay = await startTestRelay({ databaseUrl: postgres.url })
  const hook = await makeHook(relay)
  const killer = connect(postgres.url, { max: 1, name: 'killer' })
  const acknowledged: string[] = []
  let isOver = false
  let longestMs = 0
  const senders = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const startedAt = performance.now()
      const eventId = await hook.send().catch(() => null)
      longestMs = Math.max(longestMs, performance.now() - startedAt)
      if (eventId) acknowledged.push(eventId)
      else await wait(10)
    }
  })
  let ended = 0
  for (let time = 0; time < RESTARTS; time++) {
    await wait(50 + random() * 150)
    const { rows } = await sql<{ ended: boolean }>`
      select pg_terminate_backend(pid) as ended from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(killer.db)
    ended += rows.length
  }
  const since = performance.now()
  while ((await hook.send().catch(() => null)) === null) await wait(10)
  const backMs = performance.now() - since
  isOver = true
  await Promise.all(senders)
  await killer.close()
  expect(ended).toBeGreaterThan(RESTARTS)
  expect(longestMs).toBeLessThan(5_000)
  expect(backMs).toBeLessThan(2_000)
  expect(acknowledged.length).toBeGreaterThan(10)
  const stored = await storedEvents(postgres.url)
  expect(stored).toEqual(expect.arrayContaining(acknowledged))
  expect(new Set(stored).size).toBe(stored.length)
  expect(process.kill(relay.pid, 0)).toBe(true)
}, 120_000)

/** A job with a webhook; `send` answers the id of the event that was acknowledged with 202, or null. */
async function makeHook(relay: TestRelay) {
  const { token } = await relay.setup<{ token: string }>({ machineName: 'laptop', wantToken: true })
  const baton = new Baton({ url: relay.url, token })
  const [machine] = await baton.raw.machines.list.query()
  const agent = { key: 'demo', machineId: machine?.id ?? '', runtime: 'command', command: 'demo' } as const
  await baton.raw.agents.create.mutate(agent)
  const { secrets } = await baton.raw.jobs.create.mutate({
    key: 'watch',
    agent: 'demo',
    prompt: 'Look.',
    triggers: [{ kind: 'webhook', scheme: 'standard' }],
  })
  await baton.close()
  const [shown] = secrets
  if (!shown) throw new Error('The job was made without its webhook.')
  return {
    async send(): Promise<string | null> {
      const body = JSON.stringify({ ref: randomUUID() })
      const headers = signRequest({
        scheme: 'standard',
        secret: shown.secret,
        id: randomUUID(),
        timestampMs: Date.now(),
        body,
      })
      const response = await fetch(shown.url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      })
      const answer = (await response.json()) as { eventId?: string }
      return response.status === 202 ? (answer.eventId ?? null) : null
    },
  }
}

async function storedEvents(url: string): Promise<string[]> {
  const connection = connect(url, { max: 1 })
  try {
    const { rows } = await sql<{ id: string }>`select id from events`.execute(connection.db)
    return rows.map(({ id }) => id)
  } finally {
    await connection.close()
  }
}

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
