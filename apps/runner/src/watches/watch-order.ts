import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CHANGED_PATHS,
  type MachineFire,
  matchesGlob,
  type WatchOrder,
  type WatchState,
} from '@baton/protocol'
import { isFolderAllowed, type Policy } from '../config/policy.ts'
import type { Read } from '../config/profile.ts'
import { newFireKey } from './fire-spool.ts'
import { gatherChanges, type OwnRuns } from './gather-changes.ts'
import { createWatchIndex, tooManyFiles, type WatchIndex } from './watch-index.ts'
import { type TreeWatch, watchTree } from './watch-tree.ts'

export type WatchPlace = {
  policy: () => Promise<Read<Policy>>
  homeFolder: string
  /** Folders of Baton itself: what changes there is never news. */
  ownFolders: readonly string[]
  runs: OwnRuns
  /** Resolves when it is on the disk. */
  onFire: (fire: MachineFire) => unknown
  /** Where it is kept how watched files were. Without one, what changes while no runner is there is not seen. */
  indexFolder?: string
  onError: (error: unknown) => void
}

export type OrderedWatch = { state: WatchState; stop(): Promise<void> }

/**
 * Begins to carry one watch out, as far as this machine's policy allows. Never rejects: what stands in the way is its
 * state. `onEnd` is told when a watch that worked does not any more.
 */
export async function watchOrder(
  order: WatchOrder,
  place: WatchPlace,
  onEnd: (message: string) => void,
): Promise<OrderedWatch> {
  const asked = order.folder.startsWith('~') ? join(place.homeFolder, order.folder.slice(1)) : order.folder
  const folder = await realpath(asked).catch(() => null)
  if (folder === null) return idle('failed', `There is no folder ${order.folder} on this machine.`)
  const policy = await place.policy()
  if (!policy.ok)
    return idle('failed', `The policy of this machine cannot be read: ${policy.problems.join('; ')}.`)
  if (!(await isFolderAllowed(policy.value, folder, place.homeFolder))) {
    return idle(
      'refused',
      `The policy of this machine does not allow ${order.folder}: add it to "folders" in policy.json there.`,
    )
  }
  const isIgnored = (path: string) =>
    order.ignore.some((glob) => matchesGlob(glob, path)) ||
    place.ownFolders.some((own) => `${join(folder, path)}/`.startsWith(`${own}/`))
  const isWanted = (path: string) => order.globs.some((glob) => matchesGlob(glob, path))
  const index: WatchIndex | undefined =
    place.indexFolder === undefined
      ? undefined
      : createWatchIndex(
          indexFile(place.indexFolder, order.triggerId),
          { folder, globs: order.globs, ignore: order.ignore },
          isIgnored,
        )
  const gatherer = gatherChanges(
    { folder, jobId: order.jobId, quietMs: order.quietMs },
    place.runs,
    ({ paths, overflow, cause, missed }) =>
      place.onFire({
        kind: 'file_change',
        triggerId: order.triggerId,
        key: newFireKey(Date.now(), randomUUID()),
        cause: cause && `${cause}; hops=1`,
        payload: {
          changes: {
            folder,
            paths: paths.slice(0, CHANGED_PATHS),
            count: paths.length,
            overflow: overflow || paths.length > CHANGED_PATHS,
            ...(missed && { missed }),
          },
        },
      }),
    place.onError,
    index,
  )
  let tree: TreeWatch
  try {
    tree = await watchTree(folder, {
      isIgnored,
      onChange: (paths, overflow) => {
        const wanted = paths.filter(isWanted)
        if (wanted.length > 0 || overflow) gatherer.changed(wanted, overflow)
      },
      onError: (error) => onEnd(`Watching ${order.folder} failed: ${(error as Error).message}`),
    })
  } catch (error) {
    await gatherer.stop()
    return idle('failed', `${order.folder} cannot be watched: ${(error as Error).message}`)
  }
  /** The folder is watched by now, so that nothing falls between the two. */
  const caughtUp = catchUp().catch(place.onError)

  async function catchUp() {
    if (index === undefined) return
    const { paths, isWhole } = await index.compare()
    if (!isWhole) place.onError(tooManyFiles(folder as string))
    const wanted = paths.filter(isWanted)
    if (wanted.length > 0) gatherer.changed(wanted, false, true)
  }

  return {
    state: { state: tree.polledBecause ? 'polling' : 'watching', message: tree.polledBecause },
    async stop() {
      await caughtUp
      await tree.stop()
      await gatherer.stop()
    },
  }
}

/** Where it is kept how the files of a trigger's folder were. */
export const indexFile = (indexFolder: string, triggerId: string) => join(indexFolder, `${triggerId}.jsonl`)

const idle = (state: 'refused' | 'failed', message: string): OrderedWatch => ({
  state: { state, message: message.slice(0, 1_000) },
  stop: async () => {},
})
