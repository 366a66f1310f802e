import { z } from 'zod'
import {
  DISPATCH_STATES,
  type DispatchDetail,
  type DispatchView,
  OUTPUT_KINDS,
  OUTPUT_MOMENTS,
  type OutputTest,
  type OutputView,
  outputText,
} from '../outputs.ts'
import { shownId, time } from './ids.ts'
import { type Same, same } from './same.ts'
import { shown } from './shown.ts'

const jobRef = z.object({ id: shownId('job'), key: z.string() })

export const outputView = z
  .object({
    id: shownId('output'),
    job: jobRef,
    kind: z.enum(OUTPUT_KINDS),
    on: z.enum(OUTPUT_MOMENTS),
    target: z.string(),
    config: z.record(z.string(), z.unknown()).meta({ description: 'Secrets in it are shown as ***.' }),
    text: shown(outputText),
    enabled: z.boolean(),
    disabledReason: z.string().nullable(),
    last: z.object({ id: shownId('dispatch'), state: z.enum(DISPATCH_STATES), at: time }).nullable(),
    createdAt: time,
  })
  .meta({ id: 'Output' })
same<Same<z.infer<typeof outputView>, OutputView>>()

const dispatch = {
  id: shownId('dispatch'),
  kind: z.enum(OUTPUT_KINDS),
  on: z.enum(OUTPUT_MOMENTS).nullable(),
  target: z.string(),
  state: z.enum(DISPATCH_STATES),
  sentence: z.string(),
  tries: z.number(),
  maxTries: z.number(),
  nextAt: time.nullable(),
  lastError: z.string().nullable(),
  maybeRepeated: z.boolean(),
  externalId: z.string().nullable(),
  url: z.string().nullable(),
  content: z.string().nullable(),
  output: z.object({ id: shownId('output'), enabled: z.boolean() }).nullable(),
  job: jobRef.nullable(),
  deliveryId: shownId('delivery').nullable(),
  runId: shownId('run').nullable(),
  eventId: shownId('event').nullable(),
  createdAt: time,
  sentAt: time.nullable(),
}

export const dispatchView = z.object(dispatch).meta({ id: 'Dispatch' })
same<Same<z.infer<typeof dispatchView>, DispatchView>>()

export const dispatchDetail = z
  .object({
    ...dispatch,
    attempts: z.array(
      z.object({
        at: time,
        result: z.string(),
        why: z.string().nullable(),
        tookMs: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'DispatchDetail' })
same<Same<z.infer<typeof dispatchDetail>, DispatchDetail>>()

export const outputTest = z
  .object({ ok: z.boolean(), sentence: z.string(), url: z.string().nullable(), tookMs: z.number() })
  .meta({ id: 'OutputTest' })
same<Same<z.infer<typeof outputTest>, OutputTest>>()
