import { dropDatabase } from '@baton/db/embedded'
import postgres from 'postgres'
import { expect, inject, test } from 'vitest'
import { createTestDatabase } from './create-test-database.ts'

async function query(url: string, text: string): Promise<unknown[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return [...(await sql.unsafe(text))]
  } finally {
    await sql.end()
  }
}

test('what one test writes, another does not see', async () => {
  await using one = await createTestDatabase()
  await using other = await createTestDatabase()
  await query(one.url, 'create table mine (id int)')
  expect(await query(other.url, `select to_regclass('mine') as found`)).toEqual([{ found: null }])
})

test('a database is gone when its scope ends, also with a connection left open', async () => {
  const database = await createTestDatabase()
  const sql = postgres(database.url, { max: 1, onnotice: () => {} })
  await sql`select 1`
  await database[Symbol.asyncDispose]()
  await sql.end({ timeout: 1 })
  await expect(query(database.url, 'select 1')).rejects.toThrow('does not exist')
  await dropDatabase(inject('testPostgres').adminUrl, new URL(database.url).pathname.slice(1))
})

test('clones can be made at the same time', async () => {
  const databases = await Promise.all(Array.from({ length: 8 }, () => createTestDatabase()))
  expect(new Set(databases.map((database) => database.url)).size).toBe(8)
  await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()))
})

test('the database that a developer works with is not the one that tests use', () => {
  const { adminUrl } = inject('testPostgres')
  expect(adminUrl).not.toBe(process.env.DATABASE_URL ?? 'none')
})
