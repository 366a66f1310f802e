import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { migrate } from '@baton/db'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@baton/db/embedded'

/** `fast` ends connections and writes all out; `immediate` is a crash that Postgres is asked for. */
export type RestartMode = 'fast' | 'immediate'

export interface DurablePostgres extends AsyncDisposable {
  /** The same before and after a restart. */
  url: string
  /** Ends the server in the given way and brings it back. */
  restart(mode: RestartMode): Promise<void>
  /** SIGKILL to the postmaster. It stays down until `start`. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Stays down until `start`. */
  stop(): Promise<void>
}

/** A server of one's own with fsync on and a migrated database, for tests that end it in the middle of work. */
export async function startDurablePostgres(options: { flags?: string[] } = {}): Promise<DurablePostgres> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'baton-durable-'))
  fs.chmodSync(folder, 0o755)
  const startServer = (port?: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      dir: path.join(folder, 'data'),
      database: 'baton',
      ...options,
      ...(port && { port }),
    })

  let server = await startServer()
  const { url, port } = server
  await migrate(url)

  async function end(signal: NodeJS.Signals): Promise<void> {
    const exited = new Promise<void>((resolve) => server.onExit(() => resolve()))
    process.kill(server.pid, signal)
    await exited
  }

  async function start(): Promise<void> {
    server = await startServer(port)
  }

  return {
    url,
    start,
    stop: () => server.stop(),
    kill: () => end('SIGKILL'),
    restart: async (mode) => {
      await end(mode === 'immediate' ? 'SIGQUIT' : 'SIGINT')
      await start()
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop()
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}
