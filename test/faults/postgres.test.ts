import { setTimeout as wait } from 'node:timers/promises'
import { connect, sql } from '@baton/db'
import { startDurablePostgres } from '@baton/testkit'
import { expect, test } from 'vitest'
import { createRandom, printSeed } from './support/seed.ts'

printSeed('postgres')
const random = createRandom()
const RESTARTS = process.env.FAULTS === 'large' ? 60 : 10
const WORKERS = 32

test('pools live through crashes of Postgres while they connect: no error that nobody waits for, and arrays stay arrays', async () => {
  await using postgres = await startDurablePostgres()
  const unheard: unknown[] = []
  const hear = (error: unknown) => void unheard.push(error)
  process.on('unhandledRejection', hear).on('uncaughtException', hear)
  const pools = Array.from({ length: 4 }, () => connect(postgres.url, { max: 8 }))
  const codes = new Map<string, number>()
  let isOver = false
  let longestMs = 0
  const workers = Array.from({ length: WORKERS }, async (_, index) => {
    const pool = pools[index % pools.length] as (typeof pools)[number]
    while (!isOver) {
      const since = performance.now()
      try {
        await sql`select * from unnest(${['a,"b\\', null, 'ü']}::text[]) as one`.execute(pool.db)
      } catch (error) {
        const { code = 'none' } = error as { code?: string }
        codes.set(code, (codes.get(code) ?? 0) + 1)
        await wait(5)
      }
      longestMs = Math.max(longestMs, performance.now() - since)
    }
  })
  try {
    for (let restart = 0; restart < RESTARTS; restart++) {
      await wait(random() * 60)
      await postgres.restart('immediate')
    }
  } finally {
    isOver = true
    await Promise.all(workers)
    await Promise.all(pools.map((pool) => pool.close()))
    process.off('unhandledRejection', hear).off('uncaughtException', hear)
  }
  expect(unheard).toEqual([])
  expect([...codes.keys()].filter((code) => /^(22|42)/.test(code))).toEqual([])
  expect(codes.size).toBeGreaterThan(0)
  expect(longestMs).toBeLessThan(5_000)
}, 120_000)
