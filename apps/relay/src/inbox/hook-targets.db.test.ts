import { type Connection, connect } from '@baton/db'
import { DEFAULT_RULES } from '@baton/protocol'
import { createManualClock } from '@baton/service/testing'
import { createTestDatabase, LIMITS, makePlace, newTestId } from '@baton/testkit'
import { expect, test } from 'vitest'
import { createHookTargets } from './hook-targets.ts'

/** A webhook address whose job's prompt can be changed behind the relay's back, and targets that remember it. */
async function openTargets() {
  const database = await createTestDatabase()
  const connection = connect(database.url)
  const clock = createManualClock()
  const errors: unknown[] = []
  const targets = createHookTargets(connection.db, Buffer.alloc(32), {
    clock,
    onError: (error) => errors.push(error),
  })
  await targets.start()
  const jobId = await makeHook(connection, 'first')
  return {
    clock,
    targets,
    errors,
    connection,
    write: (prompt: string) => connection.sql`update jobs set prompt = ${prompt} where id = ${jobId}`,
    /** Time for one round of reading, and for what it reads to arrive. */
    async pass(ms: number) {
      await clock.advance(ms)
      await expect.poll(() => clock.sleepers()).toBe(1)
    },
    async [Symbol.asyncDispose]() {
      await targets.stop()
      await connection.close()
      await database[Symbol.asyncDispose]()
    },
  }
}

async function makeHook({ db }: Connection, prompt: string) {
  const place = await makePlace(db)
  const organization_id = place.organizationId
  const jobId = newTestId('job')
  const job = { id: jobId, organization_id, agent_id: place.agentId, key: 'job', name: 'Job', prompt }
  await db
    .insertInto('jobs')
    .values({ ...job, limits: LIMITS, rules: DEFAULT_RULES })
    .execute()
  const trigger = { id: newTestId('trigger'), organization_id, job_id: jobId, path: 'hook', scheme: 'none' }
  await db
    .insertInto('triggers')
    .values({ ...trigger, kind: 'webhook' } as never)
    .execute()
  return jobId
}

test('an address that is in use is read again in time, and is parsed anew only when it changed', async () => {
  await using world = await openTargets()
  const first = await world.targets.find('hook')
  for (let round = 0; round < 5; round++) await world.pass(600)
  expect(await world.targets.find('hook')).toBe(first)
  await world.write('second')
  for (let round = 0; round < 2; round++) await world.pass(600)
  expect((await world.targets.find('hook'))?.job_prompt).toBe('second')
  expect(world.errors).toEqual([])
})

test('an address that is gone, forgotten, or was not used for long is read when somebody asks for it', async () => {
  await using world = await openTargets()
  const first = await world.targets.find('hook')
  world.targets.forget()
  const again = await world.targets.find('hook')
  expect(again).not.toBe(first)
  await world.pass(601_000)
  expect(await world.targets.find('hook')).not.toBe(again)
  await world.connection.sql`update triggers set deleted_at = now()`
  for (let round = 0; round < 2; round++) await world.pass(600)
  expect(await world.targets.find('hook')).toBeNull()
  expect(await world.targets.find('hook')).toBeNull()
})

test('while the database does not answer, nothing older than a second is given out', async () => {
  await using world = await openTargets()
  await world.targets.find('hook')
  await world.connection.sql`alter table triggers rename to hidden`
  for (let round = 0; round < 2; round++) await world.pass(600)
  await expect(world.targets.find('hook')).rejects.toThrow('triggers')
  expect(world.errors.length).toBeGreaterThan(0)
})
