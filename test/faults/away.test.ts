import { createTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { runAway } from './away.ts'

const isLarge = process.env.FAULTS === 'large'

test('what a killed runner had accepted is pushed again within two seconds of its restart', async () => {
  await using database = await createTestDatabase()
  const { restartMs, deadMs, stopped } = await runAway({
    databaseUrl: database.url,
    restarts: isLarge ? 50 : 5,
    long: isLarge,
  })
  expect(Math.max(...restartMs)).toBeLessThan(2_000)
  if (!isLarge) return
  expect(deadMs).toBeLessThan(32_000)
  expect(stopped).toMatchObject({ state: 'succeeded', settled: 1 })
}, 180_000)
