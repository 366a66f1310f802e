import { createPollLoop, type Logger, type PollLoop } from '@baton/service'
import type { Connection } from '../connection/connection.ts'
import type { FireSpool } from './fire-spool.ts'
import type { Watches } from './watches.ts'

const AT_ONCE = 20
/** Hooks leave theirs without telling anybody. */
const LOOK_EVERY_MS = 3_000

/** Tells the relay what was kept, the oldest first, until each is answered; and what becomes of the watches. */
export function createFireSender(
  spool: FireSpool,
  watches: Watches,
  connection: Pick<Connection, 'call' | 'state'>,
  logger: Logger,
): PollLoop {
  return createPollLoop({
    everyMs: LOOK_EVERY_MS,
    jitter: 0.1,
    onError: (error) => logger.debug({ error }, 'Fires were not told; they are told again.'),
    async run(signal) {
      for (;;) {
        if (connection.state().state !== 'online' || signal.aborted) return
        const fires = (await spool.list()).slice(0, AT_ONCE)
        const states = watches.untold()
        if (fires.length === 0 && states.length === 0) return
        spool.trying(fires)
        const answers = await connection.call('fire', { fires, watches: states })
        watches.told(states)
        for (const { key, result, message } of answers) {
          if (result === 'gone') logger.warn({ key }, message ?? 'A trigger is no more.')
          await spool.forget(key)
        }
        if (fires.length < AT_ONCE) return
      }
    },
  })
}
