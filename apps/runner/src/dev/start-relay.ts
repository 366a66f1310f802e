import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { BatonError, RELAY_PORT } from '@baton/protocol'
import { RELAY_NODE_FLAGS } from '@baton/service'
import { readPrivateFile, writePrivateFile } from '../config/private-file.ts'
import { relayEntryFile } from '../entry.ts'
import type { DevPlaces } from './dev-places.ts'
import { type Kept, keepRunning } from './keep-running.ts'
import { startChild } from './start-child.ts'

export function relayPort(env: NodeJS.ProcessEnv): number {
  const port = Number(env.BATON_PORT ?? RELAY_PORT)
  if (Number.isInteger(port) && port > 0 && port <= 65_535) return port
  throw new BatonError(
    'bad_input',
    `BATON_PORT is "${env.BATON_PORT}": set it to a port number from 1 to 65535.`,
  )
}

/** A copy of the `baton` command alone has no relay in it. */
export function assertCheckout(): void {
  if (existsSync(relayEntryFile)) return
  throw new BatonError(
    'bad_input',
    'This is the "baton" command alone; "baton dev" needs a checkout of Baton, with the relay in it. To serve a relay from here: baton up --server <url> --key-stdin',
  )
}

/** Throws one sentence when another program has the port: known before anything is started. */
export async function assertPortIsFree(port: number): Promise<void> {
  const server = createServer()
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(true) : reject(error),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
  if (!taken) return
  throw new BatonError(
    'internal',
    `Starting the relay: another program listens on port ${port}. Stop it, or choose another port: BATON_PORT=${port + 1} npm start`,
  )
}

/** The environment of every relay command of this dev. The relay's secret is made once and kept beside the database. */
export async function relayEnvironment(
  env: NodeJS.ProcessEnv,
  places: DevPlaces,
  databaseUrl: string,
): Promise<NodeJS.ProcessEnv> {
  const port = relayPort(env)
  return {
    ...env,
    DATABASE_URL: databaseUrl,
    BATON_SECRET: env.BATON_SECRET ?? (await ensureSecret(places.secretFile)),
    BATON_PORT: String(port),
    BATON_HOST: '127.0.0.1',
    BATON_PUBLIC_URL: env.BATON_PUBLIC_URL ?? `http://127.0.0.1:${port}`,
  }
}

async function ensureSecret(file: string): Promise<string> {
  const kept = (await readPrivateFile(file))?.trim()
  if (kept) return kept
  const secret = randomBytes(32).toString('base64url')
  await writePrivateFile(file, `${secret}\n`, { durable: true })
  return secret
}

export function startRelay(
  relayEnv: NodeJS.ProcessEnv,
  places: DevPlaces,
  say: (line: string) => void,
): Promise<Kept> {
  const args = [...RELAY_NODE_FLAGS, relayEntryFile, 'start']
  return keepRunning(
    'relay',
    () =>
      startChild({ name: 'relay', args, env: relayEnv, logFile: places.logFile('relay'), saysReady: true }),
    say,
  )
}
