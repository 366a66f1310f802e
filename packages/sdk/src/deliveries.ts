import type { DeliveryState, RunSummary, RunView } from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import { listPages } from './list-pages.ts'

export type Deliveries = {
  /** Newest first, each as its newest run. */
  list(filter?: { state?: DeliveryState[]; pageSize?: number }): AsyncGenerator<RunSummary, void, undefined>
  /** The newest run of a delivery. */
  get(id: string): Promise<RunView>
}

export function createDeliveries(raw: Raw, call: Call): Deliveries {
  return {
    list: ({ pageSize = 50, ...filter } = {}) =>
      listPages((cursor) => call(raw.deliveries.list.query({ ...filter, limit: pageSize, cursor }))),
    get: (id) => call(raw.deliveries.get.query({ id })),
  }
}
