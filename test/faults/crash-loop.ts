import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { AppRouter } from '@baton/relay'
import { startDurablePostgres, startTestRelay, TEST_SECRET } from '@baton/testkit'
import { createTRPCClient, httpLink } from '@trpc/client'
import { auditFinishes, checkLedgers, countOpen, type Findings } from './crash/check.ts'
import { type Hook, sendHooks } from './crash/send-hooks.ts'
import { type Supervised, supervise } from './crash/supervise.ts'
import { createRandom, seed } from './support/seed.ts'

export type CrashLoopOptions = {
  deliveries: number
  kills: number
  /** Immediate restarts of Postgres. */
  restarts: number
  /** Sending takes at least this long. */
  overMs: number
  /** Everything must be finished this long after the last fault. */
  drainMs: number
  /** Where the relay's source is: a mutant's copy, or this repository. */
  root?: string
}

const ROOT = path.resolve(import.meta.dirname, '../..')
const RUNNER = path.join(import.meta.dirname, 'crash/runner-program.ts')
const RELAYS = 2
const RUNNERS = 3
const SENDERS = 16

/**
 * Two relays and three runners under a supervisor on one durable Postgres, while random ones of them are killed and
 * Postgres is restarted at once; signed webhooks are sent until each is acknowledged. Then the ledgers are compared.
 */
export async function runCrashLoop(options: CrashLoopOptions): Promise<Findings> {
  const startedAt = performance.now()
  const random = createRandom(seed)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'baton-crash-'))
  const postgres = await startDurablePostgres()
  const processes: Supervised[] = []
  try {
    const { hooks, machineKeys } = await makePlaces(postgres.url)
    await auditFinishes(postgres.url)
    const ports = await freePorts(RELAYS)
    const urls = ports.map((port) => `http://127.0.0.1:${port}`)
    const main = path.join(options.root ?? ROOT, 'apps/relay/src/main.ts')
    for (const [index, port] of ports.entries()) {
      const env = {
        DATABASE_URL: postgres.url,
        BATON_SECRET: TEST_SECRET,
        BATON_PORT: String(port),
        BATON_LOG_LEVEL: 'warn',
      }
      processes.push(
        supervise({ name: `relay-${index}`, script: main, args: ['start'], env, readyLine: true }),
      )
    }
    const journals = machineKeys.map((_, index) => path.join(folder, `runner-${index}.journal`))
    for (const [index, machineKey] of machineKeys.entries()) {
      const settings = { relays: urls, machineKey, journal: journals[index], installation: `install${index}` }
      const env = { CRASH_RUNNER: JSON.stringify(settings) }
      processes.push(supervise({ name: `runner-${index}`, script: RUNNER, env, readyLine: false }))
    }
    const sending = sendHooks({
      relays: urls,
      hooks,
      count: options.deliveries,
      senders: SENDERS,
      duplicates: 0.05,
      random,
      overMs: options.overMs,
    })
    await inflict(options, processes, postgres, random)
    const sent = await sending
    const drainedFrom = performance.now()
    await drain(postgres.url, options.drainMs)
    if (process.env.FAULTS_TIMES)
      process.stderr.write(
        `sent after ${Math.round(drainedFrom - startedAt)} ms, drained ${Math.round(performance.now() - drainedFrom)} ms later\n`,
      )
    return await checkLedgers({
      databaseUrl: postgres.url,
      sent,
      journals,
      processes,
      kills: options.kills,
      restarts: options.restarts,
      startedAt,
    })
  } finally {
    await Promise.all(processes.map((process) => process.end()))
    await postgres[Symbol.asyncDispose]()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** All kills and restarts, in an order that the seed decides. */
async function inflict(
  options: CrashLoopOptions,
  processes: Supervised[],
  postgres: { restart(mode: 'immediate'): Promise<void> },
  random: () => number,
) {
  const faults = [
    ...Array<'kill'>(options.kills).fill('kill'),
    ...Array<'restart'>(options.restarts).fill('restart'),
  ]
  for (let left = faults.length; left > 1; left--) {
    const other = Math.floor(random() * left)
    const last = faults[left - 1] as 'kill'
    faults[left - 1] = faults[other] as 'kill'
    faults[other] = last
  }
  while (!processes.every((process) => process.isUp())) await wait(20)
  for (const fault of faults) {
    await wait(60 + random() * 240)
    if (fault === 'restart') await postgres.restart('immediate')
    else (await whoIsUp(processes, random)).kill()
  }
}

async function whoIsUp(processes: Supervised[], random: () => number): Promise<Supervised> {
  for (;;) {
    const up = processes.filter((process) => process.isUp())
    const victim = up[Math.floor(random() * up.length)]
    if (victim) return victim
    await wait(20)
  }
}

async function drain(databaseUrl: string, limitMs: number) {
  const until = performance.now() + limitMs
  while (performance.now() < until && (await countOpen(databaseUrl)) > 0) await wait(200)
}

/** One machine, one agent and one job for each runner, made through the API of a relay that then goes. */
async function makePlaces(databaseUrl: string): Promise<{ hooks: Hook[]; machineKeys: string[] }> {
  await using relay = await startTestRelay({ databaseUrl })
  const { token } = await relay.setup<{ token: string }>({ wantToken: true })
  const api = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${relay.url}/trpc`, headers: { authorization: `Bearer ${token}` } })],
  })
  const hooks: Hook[] = []
  const machineKeys: string[] = []
  for (let index = 0; index < RUNNERS; index++) {
    const { machine, key } = await api.machines.create.mutate({ name: `laptop-${index}` })
    const agent = {
      key: `demo-${index}`,
      machineId: machine.id,
      runtime: 'command' as const,
      command: 'demo',
      workspace: 'scratch',
      maxConcurrent: 100,
    }
    await api.agents.create.mutate(agent)
    const { secrets } = await api.jobs.create.mutate({
      key: `job-${index}`,
      agent: agent.key,
      prompt: 'do it',
      triggers: [{ kind: 'webhook', scheme: 'baton' }],
    })
    const [hook] = secrets
    if (!hook) throw new Error('The job has no webhook.')
    hooks.push({ path: hook.path, secret: hook.secret })
    machineKeys.push(key)
  }
  return { hooks, machineKeys }
}

async function freePorts(count: number): Promise<number[]> {
  const { createServer } = await import('node:net')
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
