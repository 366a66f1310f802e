import { createTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { connect } from './connection.ts'

test('arrays go to the server and come back as they are', async () => {
  await using database = await createTestDatabase()
  const connection = connect(database.url, { max: 1 })
  const texts = ['a,"b\\', 'NULL', '', null, 'ü{}\n', '🌹']
  try {
    const { rows } = await sql`select ${texts}::text[] as texts, ${[1, -2]}::int[] as ints,
      ${[2 ** 40]}::bigint[] as bigints, ${[0.5, 2]}::float8[] as floats,
      ${[]}::text[] as nothing`.execute(connection.db)
    expect(rows).toEqual([{ texts, ints: [1, -2], bigints: [2 ** 40], floats: [0.5, 2], nothing: [] }])
  } finally {
    await connection.close()
  }
})
