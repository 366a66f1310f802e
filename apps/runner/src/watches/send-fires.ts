import { createPollLoop, type Logger, type PollLoop } from '@baton/service'
import type { Connection } from '../connection/connection.ts'
import type { FireSpool } from './fire-spool.ts'
import type { Watches } from './watches.ts'

const AT_ONCE = 20
/** Hooks leave theirs without telling anybody. */
const LOOK_EVERY_MS = 3_000
const LATER_MS = 30_000

/** Tells the relay what was kept, the oldest first, until each is answered; and what becomes of the watches. */
export function createFireSender(
  spool: FireSpool,
  watches: Watches,
  connection: Pick<Connection, 'call' | 'state'>,
  logger: Logger,
): PollLoop {
  /** What the relay had no room for, and when it is told again: it must not hold up what is for other machines. */
  const later = new Map<string, number>()
  const isDue = ({ key }: { key: string }) => (later.get(key) ?? 0) <= performance.now()

  return createPollLoop({
    everyMs: LOOK_EVERY_MS,
    jitter: 0.1,
    onError: (error) => logger.debug({ error }, 'Fires were not told; they are told again.'),
    async run(signal) {
      for (;;) {
        if (connection.state().state !== 'online' || signal.aborted) return
        const fires = (await spool.list()).filter(isDue).slice(0, AT_ONCE)
        const states = watches.untold()
        if (fires.length === 0 && states.length === 0) return
        spool.trying(fires)
        const answers = await connection.call('fire', { fires, watches: states })
        watches.told(states)
        for (const { key, result, message } of answers) {
          if (result === 'later') {
            later.set(key, performance.now() + LATER_MS)
            logger.warn({ key, message }, 'The relay did not take what happened here; it is told again.')
            continue
          }
          if (result === 'gone') logger.warn({ key }, message ?? 'A trigger is no more.')
          if (result === 'refused')
            logger.error({ key, message }, 'The relay can never store what happened here.')
          later.delete(key)
          await spool.forget(key)
        }
        if (fires.length < AT_ONCE) return
      }
    },
  })
}
