import type { ChildProcess } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, chooseConfinement } from './choose-confinement.ts'
import { ensureDataDirectory } from './data-directory.ts'
import { createDatabase, withDatabase } from './databases.ts'
import { findBinaries, programIn } from './find-binaries.ts'
import { launchPostmaster } from './launch-postmaster.ts'
import { makeReachable } from './make-reachable.ts'
import { canListen, findFreePort } from './ports.ts'
import { findRunningServer, isAlive, type RunningServer } from './postmaster-pid.ts'
import { readPassword, readServerRecord, writeServerRecord } from './server-files.ts'
import {
  type EmbeddedPostgresExit,
  type Supervision,
  superviseChild,
  superviseOrphan,
  superviseShared,
} from './supervise.ts'

export type { EmbeddedPostgresExit } from './supervise.ts'

export interface EmbeddedPostgresOptions {
  /** The data folder; its password and its port are kept in files beside it. */
  dir: string
  /** Created when it is not there. Without it the URL names the database `postgres`. */
  database?: string
  /** Insisted upon. Without it the port of the last start is taken when it is free, else any free one. */
  port?: number
  /** Server settings such as `fsync=off`. They do not reach a server that is adopted. */
  flags?: string[]
  /** What the server writes to its log. */
  log?: (line: string) => void
}

export interface EmbeddedPostgres {
  url: string
  pid: number
  port: number
  /** True when another process had started the server and it is shared. */
  adopted: boolean
  /** Under which identity it runs, for people. */
  how: string
  /** Shuts the server down and waits. A shared one is left to its owner. May be called twice. */
  stop(): Promise<void>
  /** Called once when the server ends without `stop`; a start with the same options then gets the same port. */
  onExit(callback: (exit: EmbeddedPostgresExit) => void): void
}

const patienceMs = 30_000
const retryMs = 100
/** What a server says that meets the remains of a killed one, or another start of the same folder. */
const passing = /already exists|already in use|could not bind|starting up|shutting down|shared memory/

/**
 * Starts the Postgres that comes with the packages on 127.0.0.1, with a random password. When a server of this
 * data folder already runs, that one is shared instead, so commands of one checkout may start at once. The
 * server ends when this process does, even by SIGKILL on Linux; elsewhere the next start takes it over.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const confinement = chooseConfinement()
  const { binaries, dir } = makeReachable(confinement, findBinaries(), path.resolve(options.dir))
  const flags = options.flags ?? []
  await ensureDataDirectory(dir, binaries, confinement, { sync: !flags.includes('fsync=off') })
  const held = await adoptOrLaunch(dir, options, (port) =>
    confinement.command(programIn(binaries, 'postgres'), postmasterArguments(dir, port, flags), 'on'),
  )
  const { pid, port } = held.server
  const adminUrl = `postgres://postgres:${readPassword(dir)}@127.0.0.1:${port}/postgres`
  const { database = 'postgres' } = options
  if (database !== 'postgres') await createDatabase(adminUrl, database)
  return {
    url: withDatabase(adminUrl, database),
    pid,
    port,
    adopted: held.adopted,
    how: confinement.how,
    ...held.supervision,
  }
}

function postmasterArguments(dir: string, port: number, flags: string[]): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=100',
    'shared_buffers=64MB',
    ...flags,
  ]
  return ['-D', dir, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
}

interface Held {
  server: RunningServer
  adopted: boolean
  supervision: Supervision
}

async function adoptOrLaunch(
  dir: string,
  { port: insisted, log = () => {} }: EmbeddedPostgresOptions,
  commandFor: (port: number) => Command,
): Promise<Held> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const running = await findRunningServer(dir)
    if (running) return adopt(dir, running)
    const port = insisted ?? (await findFreePort(readServerRecord(dir)?.port))
    const launch = await launchPostmaster(commandFor(port), log)
    if (launch.ready) return own(dir, launch.child, port)
    const portIsTaken = insisted !== undefined && !(await canListen(insisted))
    if (portIsTaken || !passing.test(launch.said) || performance.now() > deadline) {
      throw new Error(describeFailure(dir, port, portIsTaken, launch.said))
    }
    await sleep(retryMs)
  }
}

function own(dir: string, child: ChildProcess, port: number): Held {
  if (child.pid === undefined) throw new Error('A started Postgres has no pid.')
  writeServerRecord(dir, { port, owner: process.pid })
  return { server: { pid: child.pid, port }, adopted: false, supervision: superviseChild(child) }
}

function adopt(dir: string, server: RunningServer): Held {
  const owner = readServerRecord(dir)?.owner
  if (owner !== undefined && isAlive(owner))
    return { server, adopted: true, supervision: superviseShared(server.pid) }
  writeServerRecord(dir, { port: server.port, owner: process.pid })
  return { server, adopted: true, supervision: superviseOrphan(server.pid) }
}

function describeFailure(dir: string, port: number, portIsTaken: boolean, said: string): string {
  const cause = portIsTaken
    ? `another program listens on port ${port}. Stop it, or choose another port.`
    : `it ended with: ${said}`
  return `Starting the embedded Postgres of ${dir}: ${cause}\nOr set DATABASE_URL to a Postgres of your own.`
}
