/**
 * Everything that runs has `start` and `stop`. `start` resolves when it works and may be called once; a second call
 * throws. `stop` waits until it has ended, and may be called twice, before `start` and while it starts. A service
 * that was stopped stays stopped: make a new one.
 */
export interface Service {
  start(): Promise<void>
  stop(): Promise<void>
}

export interface ServiceParts {
  /** For the messages. */
  name: string
  /** Cleans up after itself when it throws. The signal is aborted when `stop` is called meanwhile. */
  start?: (signal: AbortSignal) => Promise<void> | void
  /** Called once, and only when `start` had succeeded. */
  stop?: () => Promise<void> | void
}

/** Turns a plain start and a plain stop into a Service that keeps the contract. */
export function createService(parts: ServiceParts): Service {
  const stopping = new AbortController()
  let started: Promise<void> | undefined
  let stopped: Promise<void> | undefined

  async function start(): Promise<void> {
    if (started) throw new Error(`${parts.name} was started before.`)
    if (stopped) throw new Error(`${parts.name} was stopped before; make a new one.`)
    started = (async () => parts.start?.(stopping.signal))()
    await started
  }

  async function stopOnce(): Promise<void> {
    stopping.abort(new Error(`${parts.name} was stopped while it started.`))
    const works = await started?.then(
      () => true,
      () => false,
    )
    if (works) await parts.stop?.()
  }

  return {
    start,
    stop: () => {
      stopped ??= stopOnce()
      return stopped
    },
  }
}
