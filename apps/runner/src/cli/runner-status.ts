import type { ProfilePaths } from '../config/paths.ts'
import { readTextFile } from '../config/private-file.ts'
import type { ConnectionState } from '../connection/connection-state.ts'

/** What the runner of this machine wrote last about itself. */
export type RunnerStatus = { pid: number; connection: ConnectionState }

/** Null when there is none, or none that this version can read. */
export async function readRunnerStatus(paths: ProfilePaths): Promise<RunnerStatus | null> {
  const text = await readTextFile(paths.statusFile)
  if (text === null) return null
  try {
    const status = JSON.parse(text) as Partial<RunnerStatus>
    return typeof status.pid === 'number' && status.connection ? (status as RunnerStatus) : null
  } catch {
    return null
  }
}
