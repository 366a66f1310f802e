import {
  acceptDeliveries,
  type Db,
  type OfMachine,
  ofMachine,
  type Renewed,
  renewLeases,
  type SentAt,
  type Start,
  settleRuns,
  startRuns,
} from '@baton/db'
import {
  LEASE_MS,
  type LeaseRef,
  type MachineId,
  RETRY_BASE_MS,
  type SettleAnswer,
  type SettleReport,
} from '@baton/protocol'
import { createBatcher } from '@baton/service'
import { withEachAlone } from '../inbox/each-alone.ts'

/**
 * What runners write about their leases, those of different machines together in group commits. Each answer comes after
 * its commit, in the order of the request.
 */
export type LeaseWrites = {
  accept(machineId: MachineId, leases: LeaseRef[]): Promise<boolean[]>
  start(machineId: MachineId, starts: Start[]): Promise<boolean[]>
  renew(machineId: MachineId, leases: LeaseRef[]): Promise<(Renewed | null)[]>
  settle(machineId: MachineId, sentAt: number, reports: SettleReport[]): Promise<SettleAnswer[]>
  stop(): Promise<void>
}

/** Deliveries of one statement; a single larger request goes alone. Long texts count as more. */
const MAX_ROWS = 512
const TEXT_OF_A_ROW = 16_384

export function createLeaseWrites(db: Db): LeaseWrites {
  const accepts = groupWrites<OfMachine<LeaseRef>, boolean>(async (leases) => {
    const accepted = await acceptDeliveries(db, leases, LEASE_MS)
    return leases.map(({ deliveryId }) => accepted.has(deliveryId))
  })
  const starts = groupWrites<OfMachine<Start>, boolean>(async (some) => {
    const started = await startRuns(db, some, LEASE_MS)
    return some.map(({ deliveryId }) => started.has(deliveryId))
  })
  const renews = groupWrites<OfMachine<LeaseRef>, Renewed | null>(async (leases) => {
    const renewed = await renewLeases(db, leases, LEASE_MS)
    return leases.map(({ deliveryId }) => renewed.get(deliveryId) ?? null)
  })
  const settles = groupWrites<OfMachine<SettleReport & SentAt>, SettleAnswer>(
    (reports) => settleRuns(db, reports, { retryBaseMs: RETRY_BASE_MS }),
    ({ result, changes }) => 1 + ((result?.length ?? 0) + (changes?.diff?.length ?? 0)) / TEXT_OF_A_ROW,
  )
  return {
    accept: (machineId, leases) => accepts.add(ofMachine(machineId, leases)),
    start: (machineId, some) => starts.add(ofMachine(machineId, some)),
    renew: (machineId, leases) => renews.add(ofMachine(machineId, leases)),
    settle: (machineId, sentAt, reports) => settles.add(ofMachine(machineId, reports, { sentAt })),
    async stop() {
      await Promise.all([accepts.stop(), starts.stop(), renews.stop(), settles.stop()])
    },
  }
}

/** A request that cannot be stored fails alone. */
function groupWrites<Item extends LeaseRef, Answer>(
  write: (items: Item[]) => Promise<Answer[]>,
  rowsOf: (item: Item) => number = () => 1,
) {
  return createBatcher<Item[], Answer[]>({
    flush: (requests) => withEachAlone(requests, (some) => writeTogether(some, write)),
    maxInFlight: 2,
    maxBytes: MAX_ROWS,
    sizeOf: (items) => items.reduce((rows, item) => rows + rowsOf(item), 0),
  })
}

/** One statement changes a delivery once: what names one a second time waits for a second statement. */
async function writeTogether<Item extends LeaseRef, Answer>(
  requests: Item[][],
  write: (items: Item[]) => Promise<Answer[]>,
): Promise<Answer[][]> {
  const waves: Item[][] = []
  const timesNamed = new Map<string, number>()
  for (const item of requests.flat()) {
    const wave = timesNamed.get(item.deliveryId) ?? 0
    timesNamed.set(item.deliveryId, wave + 1)
    if (waves.length === wave) waves.push([])
    waves[wave]?.push(item)
  }
  const answers = new Map<Item, Answer>()
  for (const wave of waves) {
    for (const [index, answer] of (await write(wave)).entries()) answers.set(wave[index] as Item, answer)
  }
  return requests.map((items) => items.map((item) => answers.get(item) as Answer))
}
