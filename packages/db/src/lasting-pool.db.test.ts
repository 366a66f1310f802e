import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { eventually, useTestDatabase } from '@baton/testkit'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { createLastingPool } from './lasting-pool.ts'

const database = useTestDatabase({ max: 1 })

type Open = Parameters<typeof createLastingPool>[0]

const LIMIT_MS = 3_000
const TOO_LONG_MS = 1_500

const opens =
  (name: string): Open =>
  (onclose) =>
    postgres(database.url, {
      max: 4,
      onclose,
      fetch_types: false,
      connection: { application_name: name },
    })

async function countBackends(name: string) {
  const rows = await database.connection.run('select from pg_stat_activity where application_name = $1', [
    name,
  ])
  return rows.length
}

const terminate = (name: string) =>
  database.connection.run(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
    [name],
  )

type Run = ReturnType<typeof createLastingPool>['run']

/** Statements without a pause while their connections are ended `times` times; how long the slowest took, in milliseconds. */
async function slowestWhileTerminated(name: string, times: number, run: Run): Promise<number> {
  let slowestMs = 0
  let isOver = false
  const ask = async () => {
    const startedAt = performance.now()
    await run('select $1::text', [name]).catch(() => {})
    slowestMs = Math.max(slowestMs, performance.now() - startedAt)
  }
  const asking = (async () => {
    const asked = new Set<Promise<void>>()
    while (!isOver) {
      if (asked.size < 20) {
        const one = ask().finally(() => asked.delete(one))
        asked.add(one)
      }
      await turn()
    }
    await Promise.all(asked)
  })()
  for (let time = 0; time < times && slowestMs < TOO_LONG_MS; time++) {
    await run('select 1', []).catch(() => {})
    await terminate(name)
  }
  isOver = true
  await asking
  return slowestMs
}

// On a plain pool of `postgres` one statement waited until a time limit in 19 of 19 such runs, of up to 500 ends each.
test('no statement waits for a connection that was lost, and none stays behind', async () => {
  const pool = createLastingPool(opens('lasting'), LIMIT_MS)
  expect(await slowestWhileTerminated('lasting', 60, (...statement) => pool.run(...statement))).toBeLessThan(
    TOO_LONG_MS,
  )
  await pool.close()
  await eventually(async () => expect(await countBackends('lasting')).toBe(0))
})

test('a connection that the server has no room for costs those that there are nothing', async () => {
  const role = `limited_${randomUUID().slice(0, 8)}`
  await database.connection.run(`create role ${role} login connection limit 1 password '${role}'`, [])
  const url = new URL(database.url)
  url.username = role
  url.password = role
  const pool = createLastingPool(
    (onclose) => postgres(url.href, { max: 3, onclose, fetch_types: false }),
    LIMIT_MS,
  )
  const [first] = await pool.run('select pg_backend_pid() as pid', [])
  const asked = await Promise.allSettled(
    [1, 2, 3, 4, 5, 6].map(() => pool.run('select pg_backend_pid() as pid from pg_sleep(0.2)', [])),
  )
  const refused = asked.filter((one) => one.status === 'rejected')
  expect(refused.length).toBeGreaterThan(0)
  for (const { reason } of refused) expect(reason).toMatchObject({ code: '53300' })
  const answered = asked.flatMap((one) => (one.status === 'fulfilled' ? [...one.value] : []))
  expect(answered).toEqual(answered.map(() => first))
  expect([...(await pool.run('select pg_backend_pid() as pid', []))]).toEqual([first])
  await pool.close()
  await eventually(() => database.connection.run(`drop role ${role}`, []))
})

test('what no connection was free for goes to the new pool', async () => {
  const options = { max: 1, max_pipeline: 1, fetch_types: false }
  const pool = createLastingPool((onclose) => postgres(database.url, { ...options, onclose }), LIMIT_MS)
  const [own] = await pool.run('select pg_backend_pid() as pid', [])
  const lost = [1, 2].map(() => pool.run('select pg_sleep(60)', []))
  const waiting = [3, 4].map((number) => pool.run('select $1::int as number', [number]))
  await database.connection.run('select pg_terminate_backend($1)', [(own as { pid: number }).pid])
  for (const one of lost) await expect(one).rejects.toThrow(/CONNECTION_CLOSED|ECONNRESET/)
  expect((await Promise.all(waiting)).flat()).toEqual([{ number: 3 }, { number: 4 }])
  await pool.close()
})
