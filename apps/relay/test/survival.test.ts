import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connect, sql } from '@baton/db'
import type { PushedDelivery, RunnerPush } from '@baton/protocol'
import {
  connectApi,
  connectWireRunner,
  eventually,
  leaseOf,
  startDurablePostgres,
  startTestRelay,
  TEST_SECRET,
  type TestRelay,
  wireRun,
} from '@baton/testkit'
import { signRequest } from '@baton/webhooks'
import { expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

async function relayCommand(env: Record<string, string>, command = 'start') {
  const child = spawn(process.execPath, [MAIN, command], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdout.resume()
  const [code] = await once(child, 'close')
  return { code, lines: errors.trim().split('\n') }
}

async function makeHook(relay: TestRelay) {
  const made = await relay.setup<{ token: string; machineKey: string }>({
    machineName: 'laptop',
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo', workspace: 'scratch' }],
  })
  const api = connectApi(relay.url, made.token)
  const { secrets } = await api.jobs.create.mutate({
    key: 'fix',
    agent: 'demo',
    prompt: 'go',
    triggers: [{ kind: 'webhook', scheme: 'standard' }],
  })
  const hook = secrets[0]
  if (!hook) throw new Error('no webhook')
  let count = 0
  const post = async (id = `msg_${++count}`) => {
    const body = JSON.stringify({ id })
    const headers = signRequest({
      scheme: 'standard',
      secret: hook.secret,
      id,
      timestampMs: Date.now(),
      body,
    })
    return fetch(hook.url, {
      method: 'POST',
      body,
      headers: { ...headers, 'content-type': 'application/json' },
    })
  }
  return { api, post, key: made.machineKey }
}

test('a broken configuration names every problem at once, and exits with 2', async () => {
  const { code, lines } = await relayCommand({ BATON_PORT: 'many', BATON_PUBLIC_URL: 'nowhere' })
  expect(code).toBe(2)
  expect(lines).toHaveLength(4)
  expect(lines.join()).toMatch(/DATABASE_URL.*BATON_SECRET.*BATON_PORT.*BATON_PUBLIC_URL/s)
})

test('a database that cannot be reached is one line that says which and what to do', async () => {
  const { code, lines } = await relayCommand({
    DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:9/none',
    BATON_SECRET: TEST_SECRET,
  })
  expect(code).toBe(7)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/127\.0\.0\.1:9\/none cannot be used.*Check DATABASE_URL/)
  expect(lines[0]).not.toContain('secret')
})

test('a port in use is one line that says which and what to do', async () => {
  await using relay = await startTestRelay()
  const { code, lines } = await relayCommand({
    DATABASE_URL: relay.databaseUrl,
    BATON_SECRET: TEST_SECRET,
    BATON_PORT: String(relay.port),
  })
  expect(code).toBe(6)
  expect(lines.at(-1)).toMatch(new RegExp(`Port ${relay.port} is in use.*BATON_PORT`))
})

test('while the database is away senders get 503 and callers an answer; afterwards everything goes on by itself', async () => {
  await using postgres = await startDurablePostgres()
  await using relay = await startTestRelay({ databaseUrl: postgres.url })
  const { api, post, key } = await makeHook(relay)
  await using runner = await connectWireRunner(relay.url, key)
  const pushes: RunnerPush[] = []
  runner.subscribe({ slots: 10, onPush: (push) => pushes.push(push) })
  expect((await post('before')).status).toBe(202)
  const first = await eventually(() => {
    const [delivery] = pushes.flatMap((push) => push.deliveries)
    expect(delivery).toBeDefined()
    return delivery as PushedDelivery
  })
  await runner.api.runner.accept.mutate({ deliveries: [leaseOf(first)] })

  await postgres.kill()
  const started = performance.now()
  const [hook, call, ready] = await Promise.all([
    post('during'),
    api.runs.list.query({}).then(
      () => 'answered',
      (error: Error) => error.message,
    ),
    fetch(`${relay.url}/readyz`),
  ])
  expect([hook.status, hook.headers.get('retry-after')]).toEqual([503, '2'])
  expect(call).toMatch(/cannot reach its database|did not get an answer/)
  expect(ready.status).toBe(503)
  expect(performance.now() - started).toBeLessThan(5_000)

  await postgres.start()
  const again = await eventually(async () => {
    const answer = await post('during')
    expect(answer.status).toBe(202)
    return (await answer.json()) as { deliveries: string[] }
  })
  await eventually(() =>
    expect(pushes.flatMap((push) => push.deliveries).map((d) => d.deliveryId)).toContain(again.deliveries[0]),
  )
  const { events, settle } = wireRun(leaseOf(first), [
    { type: 'message', role: 'assistant', text: 'survived' },
  ])
  await runner.api.runner.append.mutate({ runId: first.runId, fence: first.fence, fromSeq: 1, events })
  const [settled] = await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
  expect(settled?.result).toBe('settled')
  expect(relay.log()).not.toMatch(/uncaught|unhandled/i)
})

test('a relay that is asked to stop while its database stands still ends all the same', async () => {
  await using postgres = await startDurablePostgres()
  const relay = await startTestRelay({ databaseUrl: postgres.url })
  const { post } = await makeHook(relay)
  const pids = await serverProcesses(postgres.url)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  try {
    const sent = performance.now()
    expect((await post('standing')).status).toBe(503)
    // The most patient sender that matters waits three seconds.
    expect(performance.now() - sent).toBeLessThan(4_500)
    const started = performance.now()
    await relay.kill('SIGTERM')
    expect(performance.now() - started).toBeLessThan(13_000)
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
    await relay[Symbol.asyncDispose]()
  }
})

/** The backends that serve clients now: those of the relay. */
async function serverProcesses(url: string): Promise<number[]> {
  const connection = connect(url, { max: 1 })
  try {
    const { rows } = await sql<{ pid: number }>`
      select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`.execute(
      connection.db,
    )
    return rows.map((row) => row.pid)
  } finally {
    await connection.close()
  }
}
