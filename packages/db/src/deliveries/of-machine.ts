import type { LeaseRef, MachineId } from '@baton/protocol'

/** What a machine says about one of its leases. A statement takes those of many machines at once. */
export type OfMachine<T> = T & { machineId: MachineId }

/** What one machine says, with what holds for all of it. */
export function ofMachine<T, More = unknown>(
  machineId: MachineId,
  items: readonly T[],
  more?: More,
): OfMachine<T & More>[] {
  return items.map((item) => ({ ...item, ...(more as More), machineId }))
}

/** One order for everybody: two statements with the same deliveries would otherwise wait for each other. */
export function byDelivery<T extends LeaseRef>(items: readonly T[]): T[] {
  return items.toSorted((one, other) => (one.deliveryId < other.deliveryId ? -1 : 1))
}
