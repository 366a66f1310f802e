import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DeliveryId,
  type EventDetail,
  type EventSource,
  type EventState,
  type EventView,
  type IgnoredReason,
  RECONNECT_BASE_MS,
  type RefusedView,
  type RunId,
} from '@baton/protocol'
import { toApiError } from './api-error.ts'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import { listPages } from './list-pages.ts'

export type EventFilter = {
  /** Id or key. */
  jobId?: string
  triggerId?: string
  state?: EventState
  reason?: IgnoredReason
  source?: EventSource[]
  /** Wall clock, ms. */
  since?: number
  until?: number
  /** In the body, a header or the sender's id. */
  text?: string
  pageSize?: number
}
/** Its headers are without those that are redacted or that only meant something on the way. */
export type FollowedEvent = EventView & Pick<EventDetail, 'body' | 'bodyEncoding'>

export type Events = {
  /** Newest first. */
  list(filter?: EventFilter): AsyncGenerator<EventView, void, undefined>
  /** With the body as it came. */
  get(id: string): Promise<EventDetail>
  /** Fires its job once more with the stored body, or with another one. The new event names the old one as its cause. */
  replay(
    id: string,
    change?: { body?: string; headers?: Record<string, string> },
  ): Promise<{ eventId: string; deliveries: { id: DeliveryId; runId: RunId }[] }>
  /** Lets the relay send one of the job's webhooks a signed request, as its sender would. */
  sendSample(
    jobId: string,
    options?: { triggerId?: string; body?: string; headers?: Record<string, string> },
  ): Promise<{ status: number; eventId: string | null; detail: string | null }>
  /** Lines for a shell, or a fixture for tests. */
  exportAs(id: string, format: 'curl' | 'fixture'): Promise<{ fileName: string; text: string }>
  /** What was refused at the job's addresses within the last hour, and so is no event. */
  refused(jobId: string): Promise<RefusedView[]>
  /**
   * A job's events as they come, from now on or after `lastEventId`, over cut connections and restarts of the relay. After
   * a cursor, those of half a minute before may come again.
   */
  follow(
    jobId: string,
    options?: { lastEventId?: string; signal?: AbortSignal },
  ): AsyncGenerator<FollowedEvent, void, undefined>
}

export function createEvents(raw: Raw, call: Call, url: string): Events {
  return {
    list: ({ pageSize = 50, ...filter } = {}) =>
      listPages((cursor) => call(raw.events.list.query({ ...filter, limit: pageSize, cursor }))),
    get: (id) => call(raw.events.get.query({ id })),
    replay: (id, change = {}) =>
      call(raw.events.replay.mutate({ id, ...change, idempotencyKey: randomUUID() })),
    sendSample: (jobId, options = {}) => call(raw.events.sendSample.mutate({ jobId, ...options })),
    exportAs: (id, format) => call(raw.events.exportAs.query({ id, format })),
    refused: (jobId) => call(raw.events.refused.query({ jobId })),
    follow: (jobId, options = {}) => follow(raw, url, jobId, options),
  }
}

/** Ids of what was handed on, so that nothing comes twice over a reconnect. */
const REMEMBERED = 5_000
/** A reader that falls behind lets the subscription go and takes it up again. */
const WAITING = 200

async function* follow(
  raw: Raw,
  url: string,
  jobId: string,
  { lastEventId, signal }: { lastEventId?: string; signal?: AbortSignal },
): AsyncGenerator<FollowedEvent, void, undefined> {
  const seen = new Set<string>()
  let cursor = lastEventId
  for (;;) {
    signal?.throwIfAborted()
    const feed = openFeed(raw, url, jobId, cursor, signal)
    try {
      for (let event = await feed.next(); event; event = await feed.next()) {
        if (seen.has(event.id)) continue
        seen.add(event.id)
        if (seen.size > REMEMBERED) seen.delete(seen.keys().next().value as string)
        if (cursor === undefined || event.id > cursor) cursor = event.id
        yield event
      }
    } finally {
      feed.close()
    }
    const error = feed.error()
    if (error && !error.retryable) throw error
    await sleep(RECONNECT_BASE_MS, undefined, signal ? { signal } : {})
  }
}

function openFeed(
  raw: Raw,
  url: string,
  jobId: string,
  cursor: string | undefined,
  signal: AbortSignal | undefined,
) {
  const waiting: FollowedEvent[] = []
  let ended: { error: ReturnType<typeof toApiError> | null } | null = null
  let wake = () => {}
  const end = (error: ReturnType<typeof toApiError> | null) => {
    ended ??= { error }
    wake()
  }
  const subscription = raw.events.follow.subscribe(
    { jobId, lastEventId: cursor ?? null },
    {
      onData({ data }) {
        waiting.push(data)
        if (waiting.length > WAITING) subscription.unsubscribe()
        if (waiting.length > WAITING) end(null)
        wake()
      },
      onError: (error) => end(toApiError(error, url)),
      onComplete: () => end(null),
    },
  )
  const onAbort = () => end(null)
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    async next(): Promise<FollowedEvent | null> {
      while (waiting.length === 0 && ended === null) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return waiting.shift() ?? null
    },
    error: () => ended?.error ?? null,
    close() {
      signal?.removeEventListener('abort', onAbort)
      subscription.unsubscribe()
    },
  }
}
