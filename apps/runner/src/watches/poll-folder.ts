import { createPollLoop } from '@baton/service'
import { changedBetween, lookAtFolder } from './look-at-folder.ts'

/**
 * Watches a tree by looking at it again and again: sizes, times and inodes. For network file systems and where there is no
 * watcher for this system. Links are not followed. A tree with too many files is looked at in part, and that is said.
 */
export async function pollFolder(
  folder: string,
  options: {
    everyMs: number
    isIgnored: (path: string) => boolean
    onChange: (paths: string[], overflow: boolean) => void
    onError: (error: unknown) => void
  },
): Promise<{ stop(): Promise<void> }> {
  let { look: before, isWhole } = await lookAtFolder(folder, options.isIgnored)
  const loop = createPollLoop({
    everyMs: options.everyMs,
    jitter: 0.1,
    onError: options.onError,
    async run() {
      const now = await lookAtFolder(folder, options.isIgnored)
      const changed = changedBetween(before, now.look)
      const overflow = !now.isWhole && isWhole
      before = now.look
      isWhole = now.isWhole
      if (changed.length > 0 || overflow) options.onChange(changed, overflow)
    },
  })
  await loop.start()
  return { stop: () => loop.stop() }
}
