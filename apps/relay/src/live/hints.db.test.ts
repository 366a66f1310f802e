import { connect } from '@baton/db'
import { createLogger } from '@baton/service'
import { createTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { createHints } from './hints.ts'

const log = createLogger({ name: 'hints', level: 'silent' })

/** Two relays' hints on one database, both listening. */
async function startTwo(url: string) {
  const connection = connect(url)
  const [here, there] = [createHints(url, connection, log), createHints(url, connection, log)]
  const listening = [here, there].map(
    (hints) => new Promise<void>((resolve) => hints.onResync(() => resolve())),
  )
  await Promise.all([here.start(), there.start(), ...listening])
  const stop = async () => {
    await Promise.all([here.stop(), there.stop()])
    await connection.close()
  }
  return { connection, here, there, [Symbol.asyncDispose]: stop }
}

test('a hint behind a statement is heard when what that statement stored can be seen, and not here', async () => {
  await using database = await createTestDatabase()
  await using two = await startTwo(database.url)
  const writer = connect(database.url, { max: 1 })
  await writer.sql`create table stored (id int)`
  const store = () => writer.sql`insert into stored select 1 from pg_sleep(0.2)`
  await store()
  let heardHere = 0
  two.here.on('machine', () => heardHere++)
  const seen = new Promise<number>((resolve, reject) =>
    two.there.on('machine', () => {
      two.connection.sql<{ count: number }[]>`select count(*)::int from stored`.then(
        ([row]) => resolve(row?.count ?? 0),
        reject,
      )
    }),
  )
  const storing = store().execute()
  const sent = two.here.sendBehind(writer, [{ kind: 'machine', key: 'mch_1' }])
  expect(sent).not.toBeNull()
  expect(await seen).toBe(2)
  await Promise.all([storing, sent])
  expect(heardHere).toBe(0)
  await writer.close()
})

test('while hints are gathered none goes behind a statement: it could be sent before its commit', async () => {
  await using database = await createTestDatabase()
  await using two = await startTwo(database.url)
  const heard = Promise.withResolvers<string>()
  two.there.on('run', heard.resolve)
  two.here.send('run', 'run_1')
  expect(two.here.sendBehind(two.connection, [{ kind: 'machine', key: 'mch_1' }])).toBeNull()
  expect(await heard.promise).toBe('run_1')
})
