import { type Connection, connect, type Db } from '@baton/db'
import { afterAll, beforeAll } from 'vitest'
import { createTestDatabase, type TestDatabase } from './create-test-database.ts'

/** Each is there from the first `beforeAll` that is declared behind `useTestDatabase` to the last `afterAll`. */
export interface DatabaseInUse {
  readonly url: string
  readonly connection: Connection
  readonly db: Db
}

/**
 * A migrated, empty database for the tests of this file, with one connection to it. Hooks that are declared after the
 * call find it open.
 */
export function useTestDatabase(options: Parameters<typeof connect>[1] = {}): DatabaseInUse {
  let database: TestDatabase | undefined
  let connection: Connection | undefined
  beforeAll(async () => {
    database = await createTestDatabase()
    connection = connect(database.url, options)
  })
  afterAll(async () => {
    await connection?.close()
    await database?.[Symbol.asyncDispose]()
  })
  return {
    get url() {
      return there(database).url
    },
    get connection() {
      return there(connection)
    },
    get db() {
      return there(connection).db
    },
  }
}

function there<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('The test database is there while tests and their hooks run.')
  return thing
}
