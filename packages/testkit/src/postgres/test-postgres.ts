import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { migrate } from '@baton/db'
import {
  createDatabase,
  dropDatabase,
  type EmbeddedPostgres,
  listDatabases,
  startEmbeddedPostgres,
  withDatabase,
} from '@baton/db/embedded'

/** What a test needs to make its own database; plain values, so they can go to another process. */
export interface TestPostgresAddress {
  /** May create and drop databases. */
  adminUrl: string
  /** A migrated database that nobody is connected to. */
  template: string
}

export interface TestPostgres extends TestPostgresAddress {
  stop(): Promise<void>
}

const folderPrefix = path.join(os.tmpdir(), 'baton-test-')
/** Nothing here outlives a test run, so nothing is ever forced to the disk. */
const flags = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300']

/**
 * A Postgres for a test run, with a migrated template database: an embedded one in a temporary folder, or the
 * server of TEST_DATABASE_URL, on which only databases that this run made are touched. DATABASE_URL is never read:
 * it may be somebody's real database. Calls from one process share one embedded server.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  const given = process.env.TEST_DATABASE_URL
  const server = given ? undefined : await startTemporaryServer()
  const adminUrl = given ?? server?.url ?? ''
  const template = `baton_test_${process.pid}_${randomBytes(3).toString('hex')}`
  await createDatabase(adminUrl, template)
  await migrate(withDatabase(adminUrl, template))
  return {
    adminUrl,
    template,
    stop: () => (server ? server.stop() : dropDatabasesOf(adminUrl, template)),
  }
}

async function startTemporaryServer(): Promise<EmbeddedPostgres> {
  removeRemains()
  const folder = `${folderPrefix}${process.pid}`
  // Open to pass through, because Postgres may have to run as another user.
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 })
  const server = await startEmbeddedPostgres({ dir: path.join(folder, 'data'), flags })
  if (server.adopted) return server
  return {
    ...server,
    stop: async () => {
      await server.stop()
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Folders of test runs that were killed. */
function removeRemains(): void {
  for (const name of fs.readdirSync(os.tmpdir())) {
    const folder = path.join(os.tmpdir(), name)
    const pid = Number(folder.slice(folderPrefix.length))
    if (folder.startsWith(folderPrefix) && !isAlive(pid)) fs.rmSync(folder, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** The template and every clone of it: their names begin with its name. */
async function dropDatabasesOf(adminUrl: string, template: string): Promise<void> {
  for (const name of await listDatabases(adminUrl, template)) await dropDatabase(adminUrl, name)
}
