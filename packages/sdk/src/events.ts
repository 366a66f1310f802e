import { randomUUID } from 'node:crypto'
import type { DeliveryId, EventDetail, EventView, RunId } from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import { listPages } from './list-pages.ts'

export type Events = {
  /** Newest first. */
  list(filter?: { jobId?: string; pageSize?: number }): AsyncGenerator<EventView, void, undefined>
  /** With the body as it came. */
  get(id: string): Promise<EventDetail>
  /** Fires its job once more with the stored body. */
  replay(id: string): Promise<{ eventId: string; deliveries: { id: DeliveryId; runId: RunId }[] }>
}

export function createEvents(raw: Raw, call: Call): Events {
  return {
    list: ({ pageSize = 50, ...filter } = {}) =>
      listPages((cursor) => call(raw.events.list.query({ ...filter, limit: pageSize, cursor }))),
    get: (id) => call(raw.events.get.query({ id })),
    replay: (id) => call(raw.events.replay.mutate({ id, idempotencyKey: randomUUID() })),
  }
}
