import { readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * Holds a lock file until disposed of; waits for its holder, and takes it over when the holder's process is gone.
 * Two waiters that take over in the same instant may both get it, so what it guards must bear being done twice.
 */
export async function holdLock(path: string, signal: AbortSignal): Promise<AsyncDisposable> {
  while (!(await takeLock(path))) {
    if (!(await isHeld(path))) await rm(path, { force: true })
    await wait(100, undefined, { signal }).catch(() => {
      throw new Error(`another process has held ${path} for too long.`)
    })
  }
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

async function takeLock(path: string): Promise<boolean> {
  return writeFile(path, `${process.pid}\n`, { flag: 'wx' }).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') return false
      throw cause
    },
  )
}

async function isHeld(path: string): Promise<boolean> {
  const pid = Number(await readFile(path, 'utf8').catch(() => ''))
  // Created but not yet written: the holder is between the two.
  if (!pid) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}
