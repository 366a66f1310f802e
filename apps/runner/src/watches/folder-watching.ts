import { dirname } from 'node:path'
import type { WatchOrders } from '@baton/protocol'
import { inOrder, type Logger, type Service } from '@baton/service'
import type { ProfilePaths } from '../config/paths.ts'
import type { Policy } from '../config/policy.ts'
import type { Read } from '../config/profile.ts'
import type { Connection } from '../connection/connection.ts'
import type { LiveRun } from '../runs/runs.ts'
import { createFireSpool } from './fire-spool.ts'
import { createOwnRuns } from './own-runs.ts'
import { createFireSender } from './send-fires.ts'
import { createWatches } from './watches.ts'

export type FolderWatching = Service & {
  version(): string
  /** What the relay asks to be watched, when it is something else than before. */
  receive(orders: WatchOrders | null): void
  /** What an earlier runner left. Told before the start. */
  resumed(live: readonly LiveRun[]): void
  /** A run moved on. */
  note(live: readonly LiveRun[]): void
  /** The relay may be there (again). */
  wake(): void
}

/** Everything about watched folders and what they, and push hooks, have to tell the relay. */
export function createFolderWatching(parts: {
  paths: ProfilePaths
  policy: () => Promise<Read<Policy>>
  homeFolder: string
  connection: Pick<Connection, 'call' | 'state'>
  logger: Logger
}): FolderWatching {
  const { paths, logger } = parts
  const runs = createOwnRuns()
  const spool = createFireSpool(paths.firesFolder)
  const onError = (error: unknown) => logger.warn({ error }, 'Watching folders failed.')
  const watches = createWatches(
    paths.watchesFile,
    {
      policy: parts.policy,
      homeFolder: parts.homeFolder,
      ownFolders: [dirname(paths.profileFile), paths.stateFolder, dirname(paths.workspacesFolder)],
      runs,
      indexFolder: paths.watchIndexFolder,
      onFire: async (fire) => {
        await spool.keep(fire)
        sender.wake()
      },
      onError,
    },
    () => sender.wake(),
  )
  const sender = createFireSender(spool, watches, parts.connection, logger)
  const service = inOrder([sender, watches])
  return {
    version: () => watches.version(),
    receive(orders) {
      if (orders) watches.replace(orders)
    },
    resumed: (live) => runs.resumed(live),
    note: (live) => runs.note(live),
    wake: () => sender.wake(),
    start: () => service.start(),
    stop: () => service.stop(),
  }
}
