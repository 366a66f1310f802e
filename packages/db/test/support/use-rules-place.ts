import type { LeaseRef, SettleReport } from '@baton/protocol'
import {
  type DatabaseInUse,
  deliveryRow,
  leaseSome,
  makeDelivery,
  refOf,
  reportOf,
  settleReports,
  startLeased,
  usePlace,
  useTestDatabase,
} from '@baton/testkit'
import { afterAll, beforeAll } from 'vitest'
import {
  type Connection,
  connect,
  type Db,
  type DeliveryRules,
  sql,
  sweepDeliveries,
} from '../../src/index.ts'

let keys = 0

/** No rule of any kind but those that are given. */
export const rulesOf = (only: Partial<DeliveryRules>): DeliveryRules => ({
  priority: 0,
  delayMs: 0,
  ttlMs: null,
  stallMs: null,
  concurrencyKey: null,
  concurrencyLimit: null,
  overlap: 'queue',
  overlapKey: null,
  conversation: null,
  ...only,
})

/** A name that no other test has used. */
export const newKey = () => `key-${++keys}`

export const overlapping = (overlap: DeliveryRules['overlap']) => rulesOf({ overlap, overlapKey: newKey() })

/** A test database and a place in it, with what tests of the rules of work do there. */
export function useRulesPlace() {
  const database = useTestDatabase()
  const place = usePlace(database)
  const lease = (slots = 10, at = place) => leaseSome(database.db, at, slots)
  return {
    database,
    place,
    beside: useAnotherRelay(database),
    lease,
    make: (only: Partial<DeliveryRules>, at = place) =>
      makeDelivery(database.db, at, { delivery: { rules: rulesOf(only) } }),
    sweep: () => sweepDeliveries(database.db, { acceptWithinMs: 10_000, limit: 100 }),
    row: (id: string) => deliveryRow(database.db, id),
    past: (column: 'parked_until' | 'expires_at' | 'state_since' | 'lease_expires_at', id: string) =>
      sql`update deliveries set ${sql.ref(column)} = now() - interval '1 hour' where id = ${id}`.execute(
        database.db,
      ),
    /** Starts what its machine may lease. */
    run: async (slots = 1, at = place): Promise<LeaseRef[]> => {
      const refs = (await lease(slots, at)).map(refOf)
      if (refs.length > 0) await startLeased(database.db, at, refs)
      return refs
    },
    /** What became of the report of a run that ended well, or as it is said. */
    finish: async (ref: LeaseRef, only: Partial<SettleReport> = {}, retryBaseMs = 0) => {
      const [result] = await settleReports(database.db, place, [reportOf(ref, only)], { retryBaseMs })
      return result
    },
  }
}

/** The connection of another relay to the same database. */
function useAnotherRelay(database: DatabaseInUse): { readonly db: Db } {
  let connection: Connection | undefined
  beforeAll(() => {
    connection = connect(database.url)
  })
  afterAll(() => connection?.close())
  return {
    get db() {
      if (!connection) throw new Error('The other relay is there while tests run.')
      return connection.db
    },
  }
}
