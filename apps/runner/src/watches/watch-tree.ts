import { relative, sep } from 'node:path'
import { findNetworkMount } from './network-mount.ts'
import { pollFolder } from './poll-folder.ts'

export type TreeWatch = {
  /** Null: the system tells of changes at once. Else why it is looked at again and again. */
  polledBecause: string | null
  stop(): Promise<void>
}

export type TreeEvents = {
  isIgnored: (path: string) => boolean
  /** Paths below the folder, with slashes. `overflow`: there were more, and nobody knows which. */
  onChange: (paths: string[], overflow: boolean) => void
  /** The watch is of no use any more. */
  onError: (error: unknown) => void
}

const POLL_EVERY_MS = 2_000

/** Watches everything below a folder, which has no links in its own path. Rejects when it cannot be read. */
export async function watchTree(
  folder: string,
  events: TreeEvents,
  options: { pollEveryMs?: number; load?: () => Promise<typeof import('@parcel/watcher')> } = {},
): Promise<TreeWatch> {
  const poll = async (why: string): Promise<TreeWatch> => ({
    polledBecause: why,
    ...(await pollFolder(folder, { ...events, everyMs: options.pollEveryMs ?? POLL_EVERY_MS })),
  })
  const network = await findNetworkMount(folder)
  if (network)
    return poll(
      `It is on a network file system (${network}), which tells of no changes, so it is looked at every ${POLL_EVERY_MS / 1000} s.`,
    )
  let watcher: typeof import('@parcel/watcher')
  try {
    watcher = await (options.load ?? loadWatcher)()
  } catch {
    return poll(
      `The watcher for this system is not installed, so it is looked at every ${POLL_EVERY_MS / 1000} s.`,
    )
  }
  try {
    return await watchNatively(watcher, folder, events)
  } catch (error) {
    // Too many watches for one user, above all.
    return poll(
      `The system cannot watch it (${(error as Error).message}), so it is looked at every ${POLL_EVERY_MS / 1000} s.`,
    )
  }
}

const loadWatcher = () => import('@parcel/watcher')

async function watchNatively(
  { subscribe }: typeof import('@parcel/watcher'),
  folder: string,
  { isIgnored, onChange, onError }: TreeEvents,
): Promise<TreeWatch> {
  const subscription = await subscribe(folder, (error, all) => {
    if (error) {
      if (/dropped|overflow|rescan/i.test(error.message)) onChange([], true)
      else onError(error)
      return
    }
    const paths = all.map(({ path }) => relative(folder, path).split(sep).join('/'))
    const seen = paths.filter((path) => path !== '' && !isIgnored(path))
    if (paths.includes('')) onError(new Error('The folder itself was moved or deleted.'))
    if (seen.length > 0) onChange(seen, false)
  })
  return { polledBecause: null, stop: () => subscription.unsubscribe() }
}
