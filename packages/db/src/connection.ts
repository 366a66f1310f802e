import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import postgres from 'postgres'
import { ARRAY_TYPES } from './array-types.ts'
import { createLastingPool, type LastingPool } from './lasting-pool.ts'
import { createPoolDriver } from './pool-driver.ts'
import type { Database } from './schema.ts'

export type Db = Kysely<Database>
export type Connection = LastingPool & { db: Db }

export type ConnectOptions = {
  /** Connections at once. 2–4 writers are the fastest for group commits; readers want a pool of their own. */
  max?: number
  /** Shown in pg_stat_activity. */
  name?: string
  statementTimeoutMs?: number
}

const STATEMENT_LIMIT_MS = 5_000

/** Postgres counts that pass 2^53 would be wrong; none of ours can (a fence per microsecond lasts 285 years). */
const bigintAsNumber = { to: 20, from: [20], serialize: String, parse: Number }

/**
 * Opens a pool. Nothing is connected until the first statement. A statement that was under way when the server went, or that
 * finds it gone, fails at once; when it was under way its outcome is unknown. A connection that neither answers nor breaks
 * (half-open: the server's machine is gone, or a router forgot it) costs one statement its time limit.
 */
export function connect(databaseUrl: string, options: ConnectOptions = {}): Connection {
  const limitMs = (options.statementTimeoutMs ?? STATEMENT_LIMIT_MS) + 500
  const pool = createLastingPool((onLost) => openPool(databaseUrl, options, onLost), limitMs)
  const db = new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => createPoolDriver(pool),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
  return Object.assign(pool, { db })
}

function openPool(databaseUrl: string, options: ConnectOptions, onLost: () => void): postgres.Sql {
  return postgres(databaseUrl, {
    max: options.max ?? 4,
    onnotice: () => {},
    onclose: onLost,
    connect_timeout: 4,
    idle_timeout: 0,
    max_lifetime: null,
    backoff: (attempt) => Math.min(0.05 * 2 ** attempt, 1),
    fetch_types: false,
    types: { bigint: bigintAsNumber, ...ARRAY_TYPES },
    connection: {
      application_name: options.name ?? 'baton',
      statement_timeout: options.statementTimeoutMs ?? STATEMENT_LIMIT_MS,
      // What a disk without moving parts costs. Statements are planned once, often while their tables are small: with
      // the default of 4 the settle statement then read all runs for ever (6 ms for each of them at 9,600, else 0.1).
      random_page_cost: 1.1,
      // Nor is a table read whole where an index serves: a plan made while a table has one page, also that of a foreign key's
      // check, is kept until the table is analyzed again, and by then a burst has made it read all rows for each row.
      enable_seqscan: 'off',
      // Else the long statements are planned anew at every call, since a plan for known values looks cheaper: measured, that
      // is 1.5 ms of each lease, and 4 ms where 100,000 deliveries wait.
      plan_cache_mode: 'force_generic_plan',
    },
  })
}
