import { acceptDeliveries, type Db, leaseDeliveries, ofMachine, settleRuns, startRuns } from '@baton/db'
import { type DeliveryId, LEASE_MS, type LeaseRef, type SettleReport } from '@baton/protocol'
import type { Place } from './make.ts'

type LeasedDelivery = Awaited<ReturnType<typeof leaseDeliveries>>[number]
type OfPlace = Pick<Place, 'machineId' | 'sessionEpoch'>

/** The next delivery that waits for a machine, leased to it and not accepted. */
export async function leaseOne(db: Db, place: OfPlace): Promise<LeaseRef> {
  const [leased] = await leaseSome(db, place, 1)
  if (!leased) throw new Error('Nothing was there to lease.')
  return refOf(leased)
}

/** The next delivery that waits for a machine, accepted by it and not started. */
export async function acceptOne(db: Db, place: OfPlace): Promise<LeaseRef> {
  const held = await leaseOne(db, place)
  const accepted = await acceptDeliveries(db, ofMachine(place.machineId, [held]), LEASE_MS)
  if (!accepted.has(held.deliveryId)) throw new Error('The lease was not accepted.')
  return held
}

/** The next delivery that waits for a machine, as a run that works. */
export async function startOne(db: Db, place: OfPlace): Promise<LeaseRef> {
  const held = await leaseOne(db, place)
  await startLeased(db, place, [held])
  return held
}

export function leaseSome(
  db: Db,
  { machineId, sessionEpoch }: OfPlace,
  slots = 10,
): Promise<LeasedDelivery[]> {
  return leaseDeliveries(db, machineId, { sessionEpoch, slots, leaseMs: LEASE_MS, bodyBytes: 1_000 })
}

export const refOf = ({ id, runId, fence }: Pick<LeasedDelivery, 'id' | 'runId' | 'fence'>): LeaseRef => ({
  deliveryId: id,
  runId,
  fence,
})

/** Accepts what was leased and starts it in a folder. */
export async function startLeased(db: Db, place: OfPlace, held: LeaseRef[], workspace = '/w'): Promise<void> {
  await acceptDeliveries(db, ofMachine(place.machineId, held), LEASE_MS)
  const starts = held.map((lease) => ({ ...lease, agoMs: 5, workspace }))
  await startRuns(db, ofMachine(place.machineId, starts), LEASE_MS)
}

/** What became of each report of a machine; `sentAt` is the time at which that machine sent them, by its clock. */
export async function settleReports(
  db: Db,
  place: OfPlace,
  reports: SettleReport[],
  { sentAt = Date.now(), retryBaseMs = 0 } = {},
) {
  const ends = await settleRuns(db, ofMachine(place.machineId, reports, { sentAt }), { retryBaseMs })
  return ends.map(({ result }) => result)
}

/** The lease of a delivery ended a second ago, and it was granted a minute before that. */
export const lapse = (db: Db, id: DeliveryId) =>
  db
    .updateTable('deliveries')
    .set({ lease_expires_at: new Date(Date.now() - 1_000), leased_at: new Date(Date.now() - 60_000) })
    .where('id', '=', id)
    .execute()
