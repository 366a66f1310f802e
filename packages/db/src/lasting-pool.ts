import { setTimeout as wait } from 'node:timers/promises'
import type postgres from 'postgres'

type Rows = Awaited<ReturnType<postgres.Sql['unsafe']>>

/** Runs statements on a pool of `postgres` and puts a new pool in its place whenever one of its connections is lost. */
export type LastingPool = {
  /** The present pool: take it anew for each statement. What is sent on it past `run` may be refused when it is replaced. */
  readonly sql: postgres.Sql
  /**
   * One prepared statement. It fails when its connection is lost or at the time limit, and its outcome is then unknown; one
   * that was not yet sent when its pool was replaced goes to the new pool.
   */
  run(text: string, parameters: readonly unknown[]): Promise<Rows>
  /** Ends when what is under way has its answer, after five seconds at the latest. */
  close(): Promise<void>
}

/** `state` is set when it is sent; `handler` gives it to a connection, a moment after it was asked for. */
type Statement = ReturnType<postgres.Sql['unsafe']> & { state: unknown; handler: () => void }
type Pool = {
  sql: postgres.Sql
  /** It is asked nothing before this moment of `performance.now()`. */
  opensAt: number
  underWay: Set<Statement>
  /** Those of `underWay` that were taken back unsent, for the next pool. */
  moved: Set<Statement>
  /** Connections that a healthy server refused to open, and whose close is still to come. */
  refusals: number
}

/** What is under way on a replaced pool is answered within this time, or was on the connection that was lost. */
const GRACE_S = 1
/**
 * A server that is going down still takes connections, and one that comes while its own processes are being ended can hold
 * up its end, and with it the restart, for five seconds. So a pool waits before it asks, longer while none got an answer.
 */
const PAUSE_MS = 50
const LONGEST_PAUSE_MS = 400

/**
 * A connection object of `postgres` must not be used again once its socket is gone (3.4.9; upstream issues 1133, 1193 and
 * 1208): what was still to be written stays in its buffer and the timer that would write it counts as set, so its next start-up
 * message is never sent and whatever is given to it waits for its time limit; and statements that came between the socket's
 * error and its close are never answered. So a loss costs the whole pool, whose other connections are usually lost at that
 * moment anyway: it takes no more statements, and a new one opens with the next statement, after a short pause.
 *
 * A statement that is not answered in `limitMs`, which is more than the server allows it, costs the pool as well: a half-open
 * connection does not break by itself for a quarter of an hour. That happens at most once in `limitMs`, so that mere overload
 * does not open ever more connections.
 */
export function createLastingPool(open: (onLost: () => void) => postgres.Sql, limitMs: number): LastingPool {
  let isClosed = false
  /** Pools that were replaced since the last answer. */
  let losses = 0
  const ends = new Set<Promise<void>>()
  let present = openPool(performance.now())

  function openPool(opensAt: number): Pool {
    const pool: Pool = {
      sql: open(() => onClose(pool)),
      opensAt,
      underWay: new Set(),
      moved: new Set(),
      refusals: 0,
    }
    return pool
  }

  function onClose(pool: Pool) {
    if (pool.refusals > 0) pool.refusals--
    else replace(pool)
  }

  function replace(pool: Pool) {
    if (pool !== present || isClosed) return
    present = openPool(performance.now() + Math.min(PAUSE_MS * 2 ** losses++, LONGEST_PAUSE_MS))
    for (const statement of pool.underWay) {
      if (!isUnsent(statement)) continue
      pool.moved.add(statement)
      takeBack(statement)
    }
    const isIdle = pool.underWay.size === pool.moved.size
    const end = pool.sql.end({ timeout: isIdle ? 0 : GRACE_S }).finally(() => ends.delete(end))
    ends.add(end)
  }

  async function run(text: string, parameters: readonly unknown[]): Promise<Rows> {
    const deadline = performance.now() + limitMs
    for (;;) {
      const earlyMs = present.opensAt - performance.now()
      if (earlyMs > 0) await wait(earlyMs)
      const pool = present
      const statement = pool.sql.unsafe(text, parameters as never[], { prepare: true }) as Statement
      pool.underWay.add(statement)
      try {
        const rows = await withinTime(pool, statement, deadline)
        losses = 0
        return rows
      } catch (error) {
        if (pool.moved.delete(statement)) continue
        if (isRefusal(error)) pool.refusals++
        // The socket's error comes some moments before its close.
        else if (isLoss(error)) replace(pool)
        throw error
      } finally {
        pool.underWay.delete(statement)
      }
    }
  }

  async function withinTime(pool: Pool, statement: Statement, deadline: number): Promise<Rows> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => {
        late.reject(
          Object.assign(new Error(`The database did not answer within ${limitMs} ms.`), { code: '57014' }),
        )
        pool.underWay.delete(statement)
        // Only what was not sent: `postgres` asks for any other cancel on a socket whose failure nobody hears.
        if (isUnsent(statement)) takeBack(statement)
        if (performance.now() - pool.opensAt >= limitMs) replace(pool)
      },
      Math.max(1, deadline - performance.now()),
    )
    try {
      return await Promise.race([statement, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    get sql() {
      return present.sql
    },
    run,
    async close() {
      isClosed = true
      await Promise.all([present.sql.end({ timeout: 5 }), ...ends])
    },
  }
}

/** It waits for a connection, in a queue or for one that is being opened. */
const isUnsent = ({ state }: Statement): boolean => state === null

function takeBack(statement: Statement) {
  statement.handler = () => {}
  statement.cancel()
}

const codeOf = (error: unknown) => String((error as { code?: unknown }).code)

const isLoss = (error: unknown): boolean =>
  /^(CONNECTION_CLOSED|CONNECT_TIMEOUT|ECONN|EPIPE|57P0)/.test(codeOf(error))

/** Too many connections, a wrong password, no such database: the connections that there are do well. */
const isRefusal = (error: unknown): boolean => /^(53300|28|3D000)/.test(codeOf(error))
