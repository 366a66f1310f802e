import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import type postgres from 'postgres'
import { withRetries } from './with-retries.ts'

/**
 * Runs each statement of Kysely straight on the pool of `postgres`, prepared.
 *
 * Interactive transactions are refused on purpose. Measured: with a reserved connection or inside `begin`, `postgres`
 * ends the process when the database restarts (an uncaught error out of a buffered write) and the pool never recovers;
 * single statements on the pool survived five immediate restarts without one uncaught error, and are 1.8 times as fast
 * as `kysely-postgres-js`, which reserves a connection for each query. One state change is one statement.
 */
export function createPoolDriver(
  pool: () => postgres.Sql,
  limitMs: number,
  /** Called with the pool of a connection that did not answer although the server's own time limit is over. */
  onDeaf: (pool: postgres.Sql) => void,
): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const rows = await withRetries(() => withinTime(pool(), query, limitMs, onDeaf))
      const changed = rows.command === 'SELECT' ? undefined : BigInt(rows.count ?? 0)
      return { rows: rows as unknown as R[], ...(changed !== undefined && { numAffectedRows: changed }) }
    },
    // A cursor would hold a connection, which this driver never does.
    streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
      throw new Error('Streaming queries are not supported: read in pages by cursor.')
    },
  }
  const refuse = async () => {
    throw new Error('Interactive transactions are not supported: make it one statement.')
  }
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    releaseConnection: async () => {},
    destroy: () => pool().end({ timeout: 5 }),
  }
}

/**
 * The server's own limit does not help while the server cannot be heard at all: a statement that waits for a connection
 * to a standing server would wait as long as that stands. Its outcome is then unknown.
 */
async function withinTime(
  sql: postgres.Sql,
  compiled: CompiledQuery,
  ms: number,
  onDeaf: (pool: postgres.Sql) => void,
) {
  const query = sql.unsafe(compiled.sql, compiled.parameters as never[], { prepare: true })
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(Object.assign(new Error(`The database did not answer within ${ms} ms.`), { code: '57014' }))
    // Only what still waits for a connection: `postgres` asks for any other cancel on a socket whose failure nobody hears.
    if ((query as unknown as { state: unknown }).state === null) query.cancel()
    else onDeaf(sql)
  }, ms)
  try {
    return await Promise.race([query, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
