import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { migrate } from '@baton/db'
import { BatonError, ERROR_ANSWERS } from '@baton/protocol'
import { parseRelayConfig, type RelayConfig } from './config.ts'
import { createRelay, type Relay } from './create-relay.ts'
import { readJsonFromStdin, setUp } from './setup/set-up.ts'

const USAGE = `Usage: relay <command>
  start     migrate the database, then serve until SIGTERM or SIGINT
  migrate   bring the database up to date and exit
  setup     make the organization, a machine, an agent, a token or a sign-in link; reads JSON on stdin, prints JSON
Settings come from the environment: DATABASE_URL, BATON_SECRET, BATON_PORT, BATON_HOST, BATON_PUBLIC_URL.`

const DASHBOARD = fileURLToPath(new URL('../../dashboard/dist', import.meta.url))

/** Runs one command of the relay. Resolves when it is over; a broken start is one line per problem and an exit code. */
export async function main(argv: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const command = argv[0]
  if (command !== 'start' && command !== 'migrate' && command !== 'setup') {
    process.stderr.write(`${USAGE}\n`)
    return 2
  }
  try {
    const config = parseRelayConfig(env, existsSync(DASHBOARD) ? DASHBOARD : null)
    if (command === 'start') return await serve(config)
    const applied = await migrateOrSay(config)
    if (command === 'migrate') process.stdout.write(`${JSON.stringify({ applied })}\n`)
    else process.stdout.write(`${JSON.stringify(await setUp(config, await readJsonFromStdin()))}\n`)
    return 0
  } catch (error) {
    const known = error instanceof BatonError ? error : null
    process.stderr.write(
      `${known ? known.message : `The relay failed: ${error instanceof Error ? error.stack : String(error)}`}\n`,
    )
    if (known?.code === 'bad_input') return 2
    return known ? Math.min(ERROR_ANSWERS[known.code].exit, 7) : 1
  }
}

async function serve(config: RelayConfig): Promise<number> {
  await migrateOrSay(config)
  const relay = createRelay(config)
  await relay.start()
  process.stdout.write(`${JSON.stringify({ ready: true, url: relay.url(), pid: process.pid })}\n`)
  await untilAskedToStop(config.exitWithParent)
  return stopWithin(relay, STOP_LIMIT_MS)
}

/** Everything that was answered is stored, so a stop that waits for a database that stands still may be cut short. */
const STOP_LIMIT_MS = 10_000

async function stopWithin(relay: Relay, limitMs: number): Promise<number> {
  const late = Promise.withResolvers<number>()
  const timer = setTimeout(() => {
    process.stderr.write(
      `The relay did not end within ${limitMs / 1000} s, perhaps for its database, and is cut short.\n`,
    )
    late.resolve(1)
  }, limitMs)
  try {
    return await Promise.race([relay.stop().then(() => 0), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function migrateOrSay(config: RelayConfig): Promise<string[]> {
  try {
    return await migrate(config.databaseUrl)
  } catch (cause) {
    const url = URL.parse(config.databaseUrl)
    throw new BatonError(
      'unavailable',
      `The database at ${url?.hostname}:${url?.port || 5432}${url?.pathname ?? ''} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}. Check DATABASE_URL and that the server runs.`,
      { cause },
    )
  }
}

function untilAskedToStop(exitWithParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
    if (exitWithParent) {
      process.stdin.once('end', () => resolve())
      process.stdin.once('close', () => resolve())
      process.stdin.once('error', () => resolve())
      process.stdin.resume()
    }
  })
}

if (import.meta.main) process.exit(await main(process.argv.slice(2), process.env))
