import { DEFAULT_RULES, type JobId } from '@baton/protocol'
import { leaseSome, makeDelivery, makeJob, makePlace, type Place, useTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { chooseDeliveries } from './choose.ts'

const database = useTestDatabase()
let place: Place
let usedUp: JobId
let free: JobId
let made = 0

beforeEach(async () => {
  const { db } = database
  place = await makePlace(db)
  usedUp = await makeJob(db, place, { rules: { ...DEFAULT_RULES, perHour: 1 } })
  free = await makeJob(db, place)
  const { id } = await deliver(usedUp)
  await sql`insert into runs (id, organization_id, delivery_id, machine_id, agent_id, job_id, attempt, fence, last_hash,
      leased_at, accepted_at)
    select run_id, organization_id, id, machine_id, agent_id, job_id, 1, 1, '', now(), now()
    from deliveries where id = ${id}`.execute(db)
  await sql`update deliveries set state = 'succeeded', finished_at = now() where id = ${id}`.execute(db)
})

const deliver = (jobId: JobId | null, more: { lane?: string; priority?: number } = {}) =>
  makeDelivery(database.db, place, {
    jobId,
    delivery: {
      // In the order of their making.
      id: `dlv_${String(++made).padStart(32, '0')}`,
      jobId,
      workspace: more.lane ?? null,
      lane: more.lane ?? null,
      rules: more.priority === undefined ? null : ({ priority: more.priority } as never),
    },
  })

const lease = async (slots: number) => (await leaseSome(database.db, place, slots)).map(({ id }) => id)

/** How many rows of deliveries the choice reads. */
async function rowsRead(): Promise<number> {
  const { rows } = await sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>`
    explain (analyze, format json) with recursive ${chooseDeliveries(place.machineId, sql`5::int`)}
    select id from chosen`.execute(database.db)
  const all = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)]
  return all(rows[0]?.['QUERY PLAN'][0].Plan as PlanNode)
    .filter((node) => node['Relation Name'] === 'deliveries')
    .reduce(
      (sum, node) =>
        sum + node['Actual Loops'] * (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)),
      0,
    )
}
type PlanNode = {
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: PlanNode[]
}

test('what a job without room has waiting is left alone, and all others go in their order', async () => {
  await deliver(usedUp)
  await deliver(usedUp, { lane: '/work' })
  await deliver(usedUp, { priority: 50 })
  const plain = await deliver(free)
  const byHand = await deliver(null)
  const inFolder = await deliver(free, { lane: '/work' })
  const byHandInFolder = await deliver(null, { lane: '/work' })
  const elsewhere = await deliver(null, { lane: '/other' })
  const urgent = await deliver(free, { priority: 10 })
  expect(await lease(3)).toEqual([urgent.id, plain.id, byHand.id])
  await sql`update agents set max_concurrent = 20 where id = ${place.agentId}`.execute(database.db)
  expect(await lease(10)).toEqual([inFolder.id, elsewhere.id])
  expect(await lease(10)).toEqual([])
  await sql`update deliveries set state = 'succeeded', lease_expires_at = null, finished_at = now()
    where id = ${inFolder.id}`.execute(database.db)
  expect(await lease(10)).toEqual([byHandInFolder.id])
  // Its hour is over.
  await sql`update runs set accepted_at = now() - interval '61 minutes' where job_id = ${usedUp}`.execute(
    database.db,
  )
  expect(await lease(10)).toHaveLength(1)
})

test.each([null, '/work'])(
  'a choice does not read what waits of a job that has used up its hour (lane %s)',
  async (lane) => {
    const first = await deliver(usedUp, lane === null ? {} : { lane })
    await sql`insert into deliveries (id, organization_id, event_id, job_id, agent_id, machine_id, run_id, prompt, limits,
      max_attempts, repeatable, state, workspace, lane)
    select 'dlv_' || uuid7_hex(), organization_id, event_id, job_id, agent_id, machine_id, 'run_' || uuid7_hex(), prompt,
      limits, 3, false, 'pending', workspace, lane
    from deliveries, generate_series(1, 2000) where id = ${first.id}`.execute(database.db)
    await sql`analyze deliveries`.execute(database.db)
    const other = await deliver(free, lane === null ? {} : { lane })
    expect(await rowsRead()).toBeLessThan(100)
    expect(await lease(5)).toEqual([other.id])
  },
)
