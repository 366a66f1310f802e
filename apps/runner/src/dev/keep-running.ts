import { setTimeout as sleep } from 'node:timers/promises'
import { RECONNECT_BASE_MS, RECONNECT_CAP_MS, RECONNECT_RESET_AFTER_MS } from '@baton/protocol'
import { type Child, type Exit, exitText } from './start-child.ts'

export type Kept = {
  /** Ends it for good and waits. May be called twice. */
  stop(): Promise<void>
  pid(): number
}

/**
 * Starts something and starts it again, ever more slowly, whenever it ends by itself. The first start must succeed: its
 * error is thrown. `say` gets one sentence for every end and every new start.
 */
export async function keepRunning(
  name: string,
  start: () => Promise<Child>,
  say: (line: string) => void,
): Promise<Kept> {
  const stopping = new AbortController()
  let current = await start()
  const watching = watch()

  async function watch(): Promise<void> {
    let waitMs = RECONNECT_BASE_MS
    for (;;) {
      const startedAt = Date.now()
      const exit = await current.exited
      if (stopping.signal.aborted) return
      if (Date.now() - startedAt > RECONNECT_RESET_AFTER_MS) waitMs = RECONNECT_BASE_MS
      waitMs = await startAgain(exit, waitMs)
      if (stopping.signal.aborted) return
    }
  }

  async function startAgain(exit: Exit, firstWaitMs: number): Promise<number> {
    say(`The ${name} ended${exitText(exit)}; starting it again.`)
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, RECONNECT_CAP_MS)) {
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return waitMs
      try {
        current = await start()
        say(`The ${name} runs again.`)
        return waitMs * 2
      } catch (error) {
        say(error instanceof Error ? error.message : String(error))
      }
    }
  }

  return {
    pid: () => current.pid,
    async stop() {
      stopping.abort()
      await current.stop()
      await watching
    },
  }
}
