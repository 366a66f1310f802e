import { LEASE_MS } from '@baton/protocol'
import { leaseSome, makeDelivery, makePlace, usePlace, useTestDatabase } from '@baton/testkit'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { leaseKnown } from '../index.ts'

const database = useTestDatabase()
const place = usePlace(database)

type Made = Awaited<ReturnType<typeof makeDelivery>>
const leaseIt = ({ id }: Made, sessionEpoch = place.sessionEpoch, machineId = place.machineId) =>
  leaseKnown(database.db, machineId, { id, sessionEpoch, leaseMs: LEASE_MS, bodyBytes: 1000 })
const leaseAny = () => leaseSome(database.db, place, 5)

test('a delivery that is leased by its id is what the lease statement would have answered of it', async () => {
  const only = { body: Buffer.from('{"a":"é"}'), delivery: { lane: '/repo', workspace: '/repo' } }
  const made = await makeDelivery(database.db, place, only)
  const known = await leaseIt(made)
  await sql`update deliveries set state = 'pending', lease_expires_at = null where id = ${made.id}`.execute(
    database.db,
  )
  const [chosen] = await leaseAny()
  expect(known?.fence).toBeLessThan(chosen?.fence ?? 0)
  const { jobId, jobKey, ...delivery } = known?.delivery ?? { jobId: '', jobKey: '' }
  expect(chosen).toMatchObject({ ...delivery, job: null, event: known?.event })
  expect([jobId, jobKey]).toEqual([null, null])
})

test('of a lease by id and looks at the same time only one gets the delivery', async () => {
  for (let round = 0; round < 10; round++) {
    const made = await makeDelivery(database.db, place)
    const [known, again, looked] = await Promise.all([leaseIt(made), leaseIt(made), leaseAny()])
    expect([known, again, ...looked].filter((lease) => lease !== null && lease !== undefined)).toHaveLength(1)
  }
})

test('an older session, another machine and a second attempt get nothing by an id', async () => {
  const made = await makeDelivery(database.db, place)
  const other = await makePlace(database.db)
  expect(await leaseIt(made, 0)).toBeNull()
  expect(await leaseIt(made, other.sessionEpoch, other.machineId)).toBeNull()
  await sql`update deliveries set attempt = 1 where id = ${made.id}`.execute(database.db)
  expect(await leaseIt(made)).toBeNull()
  expect(await leaseAny()).toHaveLength(1)
})
