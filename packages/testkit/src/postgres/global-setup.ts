import type { TestProject } from 'vitest/node'
import { startTestPostgres, type TestPostgresAddress } from './test-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    testPostgres: TestPostgresAddress
  }
}

/** One Postgres for the whole run; vitest calls the returned function after the last test. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres()
  const { adminUrl, template } = server
  project.provide('testPostgres', { adminUrl, template })
  return () => server.stop()
}
