import { setTimeout as wait } from 'node:timers/promises'
import { HEARTBEAT_EVERY_MS, type LeaseRef, RENEW_EVERY_MS, type RenewAnswer } from '@baton/protocol'
import type { Logger, Service } from '@baton/service'
import type { Connection } from '../connection/connection.ts'
import { createWakeDetector } from './detect-wake.ts'

const TICK_MS = 5_000
const RETRY_MS = 1_000
const MOST_LEASES = 1_000

export type Leases = Service & {
  /** Resolves while writes may be sent: a session is open and, after a sleep, a renew was answered. */
  ready(signal: AbortSignal): Promise<void>
}

/**
 * Renews every lease in one small call every 10 s ± 20 %, and says that the runner is alive. After the computer slept it
 * lets no write through before a renew was answered: the leases may be gone.
 */
export function createLeases(options: {
  connection: Connection
  held(): LeaseRef[]
  onAnswer(answer: RenewAnswer): void
  logger: Logger
  clock: { wallMs(): number; monotonicMs(): number }
  random: () => number
}): Leases {
  const { connection, clock, logger } = options
  const stopping = new AbortController()
  const detector = createWakeDetector(clock)
  let sleeping = new AbortController()
  let fresh: PromiseWithResolvers<void> | null = null
  let heartbeatAt = Number.NEGATIVE_INFINITY
  let loop: Promise<void> = Promise.resolve()

  function noteSleep() {
    logger.info('The computer slept: leases are renewed before anything else is sent.')
    if (!fresh) {
      fresh = Promise.withResolvers()
      fresh.promise.catch(() => undefined)
    }
    detector.tick()
    connection.renewLink('the computer slept')
    sleeping.abort()
  }

  /** Asked before every write, too: after a stop of the process what came meanwhile is read before the timer fires. */
  function lookForSleep() {
    if (detector.sleptSinceLastCall() || detector.stoodStill(TICK_MS)) noteSleep()
  }

  function tick() {
    lookForSleep()
    detector.tick()
  }

  async function renewForEver(signal: AbortSignal) {
    const ticking = setInterval(tick, TICK_MS)
    try {
      while (!signal.aborted) {
        const pause = await renewOnce(signal)
        sleeping = new AbortController()
        await wait(pause, undefined, { signal: AbortSignal.any([signal, sleeping.signal]) }).catch(
          () => undefined,
        )
      }
    } finally {
      clearInterval(ticking)
    }
  }

  /** Returns how long to wait before the next. */
  async function renewOnce(signal: AbortSignal): Promise<number> {
    const waited = fresh
    try {
      await connection.online(signal)
      const deliveries = options.held().slice(0, MOST_LEASES)
      const heartbeat = clock.monotonicMs() - heartbeatAt >= HEARTBEAT_EVERY_MS - RENEW_EVERY_MS
      const answers = await connection.call('renew', { deliveries, heartbeat })
      if (heartbeat) heartbeatAt = clock.monotonicMs()
      for (const answer of answers) options.onAnswer(answer)
      if (waited && waited === fresh) {
        fresh = null
        waited.resolve()
      }
      return fresh ? 0 : RENEW_EVERY_MS * (0.8 + 0.4 * options.random())
    } catch (error) {
      if (!signal.aborted) logger.debug({ error }, 'A renew was not answered.')
      return RETRY_MS
    }
  }

  return {
    async start() {
      loop = renewForEver(stopping.signal)
    },
    async stop() {
      stopping.abort()
      fresh?.reject(new Error('The runner stops.'))
      await loop
    },
    async ready(signal) {
      for (;;) {
        await connection.online(signal)
        lookForSleep()
        if (!fresh) return
        await aborting(fresh.promise, signal)
      }
    },
  }
}

async function aborting(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
