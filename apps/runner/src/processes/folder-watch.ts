import { type FSWatcher, watch } from 'node:fs'

const POLL_WITH_WATCH_MS = 1_000
const POLL_WITHOUT_WATCH_MS = 50

export type FolderWatch = {
  /** Counts changes seen. Read it before looking at the files, then wait for the next one. */
  readonly version: number
  /** Resolves when something changed since `version`, when a poll is due, or when the signal aborts or it closes. */
  after(version: number, signal?: AbortSignal): Promise<void>
  readonly closed: boolean
  close(): void
}

/**
 * Tells that files of a folder whose names pass `matters` changed. The system's watch makes it quick, a slow poll
 * makes it certain: callers look at the files each time and never trust the hint alone.
 */
export function watchFolder(folder: string, matters: (name: string) => boolean): FolderWatch {
  let version = 0
  let closed = false
  const waiting = new Set<() => void>()
  const bump = () => {
    version += 1
    for (const wake of [...waiting]) wake()
  }
  let watcher = open()

  function open(): FSWatcher | null {
    try {
      const opened = watch(folder, (_, name) => {
        if (name === null || matters(name)) bump()
      })
      opened.on('error', () => {
        opened.close()
        watcher = null
      })
      return opened
    } catch {
      return null // the system's limit of watches is reached: the poll is then the only way
    }
  }

  return {
    get version() {
      return version
    },
    get closed() {
      return closed
    },
    after(seen, signal) {
      if (version !== seen || closed || signal?.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          waiting.delete(wake)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const timer = setTimeout(wake, watcher ? POLL_WITH_WATCH_MS : POLL_WITHOUT_WATCH_MS)
        waiting.add(wake)
        signal?.addEventListener('abort', wake, { once: true })
      })
    },
    close() {
      closed = true
      watcher?.close()
      bump()
    },
  }
}
