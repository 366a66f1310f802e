import { randomBytes } from 'node:crypto'
import { createDatabase, dropDatabase, withDatabase } from '@baton/db/embedded'
import { inject } from 'vitest'
import type { TestPostgresAddress } from './test-postgres.ts'

export interface TestDatabase extends AsyncDisposable {
  url: string
}

/**
 * A migrated, empty database of one's own, gone at the end of the `await using` scope. Test files take one each.
 * Programs outside vitest pass what `startTestPostgres` gave them.
 */
export async function createTestDatabase(
  server: TestPostgresAddress = inject('testPostgres'),
): Promise<TestDatabase> {
  const name = `${server.template}_${randomBytes(6).toString('hex')}`
  await createDatabase(server.adminUrl, name, { template: server.template })
  return {
    url: withDatabase(server.adminUrl, name),
    [Symbol.asyncDispose]: () => dropDatabase(server.adminUrl, name),
  }
}
