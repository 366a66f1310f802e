import { outputText } from '@baton/protocol'
import {
  acceptOne,
  leaseOne,
  makeDelivery,
  makeJob,
  makePlace,
  newTestId,
  type Place,
  startOne,
  useTestDatabase,
  wireRun,
} from '@baton/testkit'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { requestCancel } from '../deliveries/cancel.ts'
import { giveUpDelivery } from '../deliveries/move-elsewhere.ts'
import { ofMachine } from '../deliveries/of-machine.ts'
import { loseDeliveries } from '../deliveries/reconcile.ts'
import { refuseDeliveries } from '../deliveries/refuse.ts'
import { settleRuns } from '../deliveries/settle.ts'
import { sweepDeliveries } from '../deliveries/sweep.ts'
import { claimDispatches } from './claim-dispatches.ts'
import { reportDispatch } from './report-dispatch.ts'

const database = useTestDatabase({ max: 4 })

/** A place with a job that tells of everything. */
async function makeTellingJob() {
  const place = await makePlace(database.db)
  const jobId = await makeJob(database.db, place)
  for (const moment of ['success', 'failure', 'always']) {
    await sql`insert into outputs (id, organization_id, job_id, kind, moment, config, message)
      values (${newTestId('output')}, ${place.organizationId}, ${jobId}, 'log', ${moment}, '{}',
        ${JSON.stringify(outputText.parse({}))}::text::jsonb)`.execute(database.db)
  }
  return { ...place, jobId }
}

async function makeLease(
  place: Place & { jobId: `job_${string}` },
  until: 'leased' | 'accepted' | 'running',
) {
  const { db } = database
  await makeDelivery(db, place, { jobId: place.jobId, delivery: { jobId: place.jobId } })
  const take = { leased: leaseOne, accepted: acceptOne, running: startOne }[until]
  return take(db, place)
}

const settle = (place: Place, report: ReturnType<typeof wireRun>['settle']) =>
  settleRuns(database.db, ofMachine(place.machineId, [report], { sentAt: Date.now() }), {
    retryBaseMs: 1_000,
  } as never)

async function momentsOf(deliveryId: string): Promise<string[]> {
  const { rows } = await sql<{
    moment: string
  }>`select o.moment from dispatches d join outputs o on o.id = d.output_id
    where d.delivery_id = ${deliveryId}`.execute(database.db)
  return rows.map(({ moment }) => moment).toSorted()
}

test('every statement that ends a delivery queues its dispatches, once', async () => {
  const place = await makeTellingJob()
  const { db } = database
  const told: Record<string, string[]> = {}

  const settled = await makeLease(place, 'running')
  const report = wireRun(settled, []).settle
  await settle(place, { ...report, fence: report.fence - 1, finishKey: 'stale-report' })
  expect(await momentsOf(settled.deliveryId)).toEqual([])
  for (let times = 0; times < 3; times++) await settle(place, report)
  told.settled = await momentsOf(settled.deliveryId)

  const refused = await makeLease(place, 'leased')
  await refuseDeliveries(db, place.machineId, [
    { ...refused, errorKind: 'policy', message: 'no', final: true, retryAfterMs: 0 },
  ])
  told.refused = await momentsOf(refused.deliveryId)

  const cancelled = await makeDelivery(db, place, { jobId: place.jobId, delivery: { jobId: place.jobId } })
  await requestCancel(db, place.organizationId, cancelled.id, 'no')
  told.cancelled = await momentsOf(cancelled.id)

  const lost = await makeLease(place, 'running')
  await loseDeliveries(db, place.machineId, [])
  told.lost = await momentsOf(lost.deliveryId)

  const sweep = () => sweepDeliveries(db, { acceptWithinMs: 10_000, limit: 100 })
  const expired = await makeDelivery(db, place, { jobId: place.jobId, delivery: { jobId: place.jobId } })
  await sql`update deliveries set expires_at = now() where id = ${expired.id}`.execute(db)
  await sweep()
  told.expired = await momentsOf(expired.id)

  const stalled = await makeLease(place, 'running')
  await sql`update deliveries set lease_expires_at = now() - interval '1 s' where id = ${stalled.deliveryId}`.execute(
    db,
  )
  await sweep()
  await sql`update deliveries set stall_ms = 1, state_since = now() - interval '1 h' where id = ${stalled.deliveryId}`.execute(
    db,
  )
  expect(await momentsOf(stalled.deliveryId)).toEqual([])
  await sweep()
  told.stalled = await momentsOf(stalled.deliveryId)

  const givenUp = await makeLease(place, 'running')
  await sql`update deliveries set lease_expires_at = now() - interval '1 s' where id = ${givenUp.deliveryId}`.execute(
    db,
  )
  await sweep()
  await giveUpDelivery(db, place.organizationId, givenUp.deliveryId)
  told.givenUp = await momentsOf(givenUp.deliveryId)

  const failure = ['always', 'failure']
  expect(told).toEqual({
    settled: ['always', 'success'],
    refused: failure,
    cancelled: ['always'],
    lost: failure,
    expired: failure,
    stalled: failure,
    givenUp: failure,
  })
  await sql`delete from dispatches`.execute(db)
})

test('no dispatch goes to two relays, and what an older claim reports changes nothing', async () => {
  const place = await makeTellingJob()
  for (let index = 0; index < 10; index++)
    await settle(place, wireRun(await makeLease(place, 'running'), []).settle)
  const take = () => claimDispatches(database.db, { limit: 7, claimMs: 60_000 })
  const claims = (await Promise.all([take(), take(), take(), take()])).flat()
  expect(claims).toHaveLength(20)
  expect(new Set(claims.map(({ id }) => id)).size).toBe(20)
  const [old] = claims
  if (!old) throw new Error('Nothing was claimed.')
  await sql`update dispatches set next_at = now() where id = ${old.id}`.execute(database.db)
  const [newer] = await take()
  expect(newer).toMatchObject({ id: old.id, claim: old.claim + 1, tries: 2, unconfirmed: true })
  const sent = { state: 'sent', result: 'sent', why: null, tookMs: 1 } as const
  expect(await reportDispatch(database.db, old, sent)).toBeNull()
  expect(await reportDispatch(database.db, { id: old.id, claim: old.claim + 1 }, sent)).toMatchObject({
    queued: 0,
  })
  await sql`delete from dispatches`.execute(database.db)
})

test('T-61: an output sends about sixty times a minute, and the others go on', async () => {
  const { organizationId, jobId } = await makeTellingJob()
  const { rows: outputs } = await sql<{
    id: string
  }>`select id from outputs where job_id = ${jobId} order by id`.execute(database.db)
  const [loud, quiet] = outputs
  await sql`insert into dispatches (id, organization_id, output_id, kind, key, state, next_at, sent_at, finished_at)
    select 'dsp_' || uuid7_hex(), ${organizationId}, ${loud?.id}, 'log', 'k' || n, case when n <= 60 then 'sent' else 'pending' end,
      case when n > 60 then now() - interval '1 h' end, case when n <= 60 then now() end, case when n <= 60 then now() end
    from generate_series(1, 90) as n`.execute(database.db)
  await sql`insert into dispatches (id, organization_id, output_id, kind, key, next_at)
    values ('dsp_' || uuid7_hex(), ${organizationId}, ${quiet?.id}, 'log', 'quiet', now())`.execute(
    database.db,
  )
  const take = () => claimDispatches(database.db, { limit: 50, claimMs: 60_000 })
  expect((await take()).map(({ key }) => key)).toEqual(['quiet'])
  await sql`update dispatches set sent_at = now() - interval '2 minutes' where sent_at is not null`.execute(
    database.db,
  )
  expect(await take()).toHaveLength(30)
})
