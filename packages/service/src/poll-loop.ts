import { type Clock, systemClock } from './clock.ts'
import { createService, type Service } from './service.ts'

export interface PollLoopOptions {
  everyMs: number
  /** A share of `everyMs`: 0.2 spreads the waits over ± 20 %. */
  jitter?: number
  /** One pass. It ends soon when the signal is aborted. */
  run: (signal: AbortSignal) => Promise<void>
  /** Told of a pass that failed; the next one comes all the same. It must not throw. */
  onError: (error: unknown) => void
  clock?: Clock
  random?: () => number
}

export interface PollLoop extends Service {
  /** Runs again soon: at once when it waits, else right after the pass that is under way. */
  wake(): void
}

/** Calls `run` at once and then every `everyMs`, one pass at a time. `stop` waits for the pass under way. */
export function createPollLoop(options: PollLoopOptions): PollLoop {
  const { everyMs, jitter = 0, run, onError, clock = systemClock, random = Math.random } = options
  const stopping = new AbortController()
  let waiting = new AbortController()
  let woken = false
  let passes: Promise<void> | undefined

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = false
      await pass()
      if (!woken) await waitForNext()
    }
  }

  async function pass(): Promise<void> {
    try {
      await run(stopping.signal)
    } catch (error) {
      if (!stopping.signal.aborted) onError(error)
    }
  }

  async function waitForNext(): Promise<void> {
    waiting = new AbortController()
    const ms = everyMs * (1 + jitter * (random() * 2 - 1))
    const signal = AbortSignal.any([stopping.signal, waiting.signal])
    await clock.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  const service = createService({
    name: 'A poll loop',
    start: () => {
      passes = loop()
    },
    stop: async () => {
      stopping.abort()
      await passes
    },
  })

  return {
    start: () => service.start(),
    stop: () => service.stop(),
    wake: () => {
      woken = true
      waiting.abort()
    },
  }
}
