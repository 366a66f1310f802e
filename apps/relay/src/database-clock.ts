import { type Connection, sql } from '@baton/db'
import { createPollLoop, type Logger, type Service } from '@baton/service'

export type DatabaseClock = Service & {
  /** Milliseconds since 1970, as the database has them. */
  now(): number
}

const LOOK_EVERY_MS = 30_000
/** An answer that took longer says too little about the time. */
const ANSWER_MS = 2_000
const ALARM_MS = 2_000

/**
 * The one clock that all relays of a database share. Signatures, tokens and sessions are judged by it, so that a relay
 * whose own clock is wrong refuses nothing that is right and accepts nothing that is old. Between two looks it goes on by
 * the process's monotonic time, which nobody can set; a wrong wall clock is said in the log, once.
 */
export function createDatabaseClock(connection: Connection, log: Logger): DatabaseClock {
  let known: { database: number; at: number } | null = null
  let isWrong = false

  const now = () => (known === null ? Date.now() : known.database + performance.now() - known.at)

  async function look() {
    const asked = performance.now()
    const { rows } = await sql<{ now: number }>`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`.execute(connection.db)
    const answered = performance.now()
    const [row] = rows
    if (!row || (known !== null && answered - asked > ANSWER_MS)) return
    known = { database: Number(row.now), at: (asked + answered) / 2 }
    tell(Date.now() - now())
  }

  function tell(aheadMs: number) {
    if (Math.abs(aheadMs) > ALARM_MS === isWrong) return
    isWrong = !isWrong
    if (isWrong)
      log.warn(
        { aheadMs: Math.round(aheadMs) },
        "this computer's clock differs from the database's, which is used; set it right",
      )
    else log.info('the clock of this computer is right again')
  }

  const loop = createPollLoop({
    everyMs: LOOK_EVERY_MS,
    jitter: 0.2,
    run: look,
    onError: (error) => log.debug({ error }, 'the clock of the database was not read; it is tried again'),
  })
  return {
    now,
    async start() {
      // Nothing is judged before the first look, as far as the database answers.
      await look().catch((error: unknown) => log.warn({ error }, 'the clock of the database was not read'))
      await loop.start()
    },
    stop: () => loop.stop(),
  }
}
