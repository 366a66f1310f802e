import { createTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { runStorm } from './storm.ts'
import { printSeed } from './support/seed.ts'

printSeed('storm')

test('200 runners whose relay was killed are all back within 30 s of its return', async () => {
  await using database = await createTestDatabase()
  const findings = await runStorm(200, database.url)
  expect(findings.failed, JSON.stringify(findings)).toBe(0)
  expect(findings.backMs, JSON.stringify(findings)).toBeLessThan(30_000)
}, 120_000)
