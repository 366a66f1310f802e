import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { RELAY_NODE_FLAGS } from '@baton/service'
import { createTestDatabase } from './postgres/create-test-database.ts'

const MAIN = fileURLToPath(new URL('../../../apps/relay/src/main.ts', import.meta.url))
export const TEST_SECRET = 'test-secret-that-is-long-enough-for-everybody'

export interface TestRelay extends AsyncDisposable {
  url: string
  databaseUrl: string
  port: number
  pid: number
  /** Runs `relay setup` with this request and answers what it printed. */
  setup<T = Record<string, unknown>>(request: object): Promise<T>
  /** Ends the process with this signal and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<number | null>
  /** What it logged so far. */
  log(): string
}

/**
 * A real relay process on a port of its own, on a database of its own unless one is given. A second one on the same
 * database is a second replica; the same port again after `kill` is a restart. `main` is another relay's entry: a mutant's.
 */
export async function startTestRelay(
  options: { databaseUrl?: string; port?: number; env?: Record<string, string>; main?: string } = {},
): Promise<TestRelay> {
  const database = options.databaseUrl ? null : await createTestDatabase()
  const databaseUrl = options.databaseUrl ?? database?.url ?? ''
  const env = { ...relayEnv(databaseUrl), BATON_PORT: String(options.port ?? 0), ...options.env }
  const child = spawn(process.execPath, [...RELAY_NODE_FLAGS, options.main ?? MAIN, 'start'], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-200_000)
  })
  const ready = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => JSON.parse(String(line)) as { url: string }),
    once(child, 'exit').then(([code]) => {
      throw new Error(`The test relay ended with ${code} before it was ready:\n${log}`)
    }),
  ])
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGTERM')
    await database?.[Symbol.asyncDispose]()
  }
  return {
    url: ready.url,
    port: Number(new URL(ready.url).port),
    databaseUrl,
    pid: child.pid ?? 0,
    setup: (request) => runRelay('setup', { ...env, BATON_PUBLIC_URL: ready.url }, request),
    kill: (signal = 'SIGKILL') => end(child, signal),
    log: () => log,
    [Symbol.asyncDispose]: stop,
  }
}

function relayEnv(databaseUrl: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    DATABASE_URL: databaseUrl,
    BATON_SECRET: TEST_SECRET,
    BATON_LOG_LEVEL: process.env.BATON_LOG_LEVEL ?? 'info',
    BATON_EXIT_WITH_PARENT: '1',
  }
}

async function runRelay<T>(command: string, env: Record<string, string>, request: object): Promise<T> {
  const child = spawn(process.execPath, [MAIN, command], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(JSON.stringify(request))
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`relay ${command} ended with ${code}: ${errors}`)
  return JSON.parse(out) as T
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
  return child.exitCode
}
