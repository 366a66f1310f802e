import postgres from 'postgres'
import { expect, test } from 'vitest'
import { startDurablePostgres } from './durable-postgres.ts'

/** A connection of its own each time: one that saw the server die may hand that error to its next statement. */
async function query(url: string, text: string): Promise<unknown[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return [...(await sql.unsafe(text))]
  } finally {
    await sql.end()
  }
}

test('committed rows are there after an immediate restart and after a kill, under the same URL', async () => {
  await using server = await startDurablePostgres()
  expect(await query(server.url, 'show fsync')).toEqual([{ fsync: 'on' }])
  await query(server.url, 'create table kept (id int); insert into kept values (1)')
  await server.restart('immediate')
  await query(server.url, 'insert into kept values (2)')
  await server.kill()
  await expect(query(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  await server.start()
  expect(await query(server.url, 'select id from kept order by id')).toEqual([{ id: 1 }, { id: 2 }])
})
