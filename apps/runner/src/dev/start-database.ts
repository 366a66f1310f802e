import { appendFileSync } from 'node:fs'
import { makePrivateFolder } from '../config/private-file.ts'
import type { DevPlaces } from './dev-places.ts'
import { type Kept, keepRunning } from './keep-running.ts'
import type { Child } from './start-child.ts'

export type DevDatabase = {
  url: string
  kind: 'embedded' | 'external'
  /** For people. */
  shown: string
  kept: Kept | null
}

/** `DATABASE_URL` untouched where it is set, else a real Postgres of our own, kept in dev's folder. */
export async function startDatabase(
  env: NodeJS.ProcessEnv,
  places: DevPlaces,
  say: (line: string) => void,
): Promise<DevDatabase> {
  if (env.DATABASE_URL) {
    return {
      url: env.DATABASE_URL,
      kind: 'external',
      shown: `DATABASE_URL, on ${hostOf(env.DATABASE_URL)}`,
      kept: null,
    }
  }
  const { startEmbeddedPostgres } = await import('@baton/db/embedded')
  await makePrivateFolder(places.dataFolder)
  await makePrivateFolder(places.stateFolder)
  const logFile = places.logFile('postgres')
  const log = (line: string) => appendFileSync(logFile, `${line}\n`, { mode: 0o600 })
  let url = ''
  let port: number | undefined
  const start = async (): Promise<Child> => {
    const server = await startEmbeddedPostgres({
      dir: places.postgresFolder,
      database: 'baton',
      log,
      ...(port ? { port } : {}),
    })
    url = server.url
    port = server.port
    const exited = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
      server.onExit((exit) => resolve({ exitCode: exit.code, signal: exit.signal }))
    })
    let stopped: () => void = () => {}
    const ended = new Promise<{ exitCode: null; signal: null }>((resolve) => {
      stopped = () => resolve({ exitCode: null, signal: null })
    })
    return {
      pid: server.pid,
      exited: Promise.race([exited, ended]),
      stop: async () => {
        await server.stop()
        stopped()
      },
    }
  }
  const kept = await keepRunning('database', start, say)
  return { url, kind: 'embedded', shown: `embedded Postgres in ${places.postgresFolder}`, kept }
}

/** Without user and password, which an address of a database holds. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is no URL'
}
