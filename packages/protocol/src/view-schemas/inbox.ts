import { z } from 'zod'
import type { EventDetail, EventView, RefusedView } from '../event-views.ts'
import { DELIVERY_STATES, EVENT_SOURCES, EVENT_STATES, IGNORED_REASONS } from '../states.ts'
import { TRIGGER_KINDS, WEBHOOK_SCHEMES } from '../triggers.ts'
import { shownId, time } from './ids.ts'
import { dispatchView } from './outputs.ts'
import { statusWord } from './runs.ts'
import { type Same, same } from './same.ts'

const event = {
  id: shownId('event'),
  source: z.enum(EVENT_SOURCES),
  state: z.enum(EVENT_STATES),
  reason: z.enum(IGNORED_REASONS).nullable(),
  reasonMessage: z.string().nullable(),
  job: z.object({ id: shownId('job'), key: z.string() }).nullable(),
  deliveryKey: z.string(),
  contentType: z.string().nullable(),
  bodyBytes: z.number(),
  headers: z.record(z.string(), z.string()),
  receivedAt: time,
  deliveries: z.array(
    z.object({ id: shownId('delivery'), state: z.enum(DELIVERY_STATES), runId: shownId('run') }),
  ),
}

export const eventView = z.object(event).meta({ id: 'Event' })
same<Same<z.infer<typeof eventView>, EventView>>()

export const eventDetail = z
  .object({
    ...event,
    body: z.string(),
    bodyEncoding: z.enum(['text', 'base64']),
    verification: z
      .object({ scheme: z.enum(WEBHOOK_SCHEMES), signedId: z.boolean(), signedAt: time.nullable() })
      .nullable(),
    trigger: z.object({ id: shownId('trigger'), kind: z.enum(TRIGGER_KINDS) }).nullable(),
    cause: z.object({ id: z.string(), hops: z.number() }).nullable(),
    runs: z.array(
      z.object({
        id: shownId('run'),
        deliveryId: shownId('delivery'),
        attempt: z.number(),
        status: statusWord,
        leasedAt: time.nullable(),
        startedAt: time.nullable(),
        finishedAt: time.nullable(),
      }),
    ),
    dispatches: z.array(dispatchView),
  })
  .meta({ id: 'EventDetail' })
same<Same<z.infer<typeof eventDetail>, EventDetail>>()

export const refusedView = z
  .object({
    path: z.string(),
    count: z.number(),
    requests: z.array(
      z.object({
        at: time,
        status: z.number(),
        type: z.string(),
        detail: z.string(),
        contentType: z.string().nullable(),
        bytes: z.number().nullable(),
        headers: z.record(z.string(), z.string()),
      }),
    ),
  })
  .meta({ id: 'Refused' })
same<Same<z.infer<typeof refusedView>, RefusedView>>()

export const replayedEvent = z.object({
  eventId: shownId('event'),
  deliveries: z.array(z.object({ id: shownId('delivery'), runId: shownId('run') })),
})

export const sampleAnswer = z.object({
  status: z.number(),
  eventId: z.string().nullable(),
  detail: z.string().nullable(),
})
