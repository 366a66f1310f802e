import { z } from 'zod'
import { dispatchId, runId } from './ids.ts'

/** What an order may carry; longer text is cut and says so. */
export const ORDER_CONTENT_BYTES = 256 * 1024

/**
 * A dispatch that the runner of its machine carries out. It is sent again, with the same id, until the runner has reported
 * it; the runner does each id once.
 */
export const machineOrder = z.object({
  id: dispatchId,
  /** Names this sending of the order; the report carries it back. */
  claim: z.number().int().positive(),
  runId: runId.nullable(),
  kind: z.enum(['stdout', 'file']),
  content: z.string(),
  /** For `file`: relative to `workspace`, or absolute inside the folders of the machine's policy. */
  path: z.string().nullable().default(null),
  mode: z.enum(['append', 'overwrite']).default('append'),
  /** Where the run has worked, as this machine reported it. */
  workspace: z.string().nullable().default(null),
})
export type MachineOrder = z.infer<typeof machineOrder>

/** An order in words of a newer relay is left out and hides nothing else. */
export const machineOrders = z
  .array(z.unknown())
  .default([])
  .transform((all) => all.flatMap((one) => machineOrder.safeParse(one).data ?? []))

/** retry: it may work later. failed: it never will as it stands. */
export const orderReport = z.object({
  id: dispatchId,
  claim: z.number().int().positive(),
  result: z.enum(['sent', 'retry', 'failed']),
  why: z
    .string()
    .transform((text) => text.toWellFormed().replaceAll('\0', '\uFFFD').slice(0, 2_000))
    .nullable(),
  /** For `file`: the real path that was written. */
  path: z
    .string()
    .transform((text) => text.toWellFormed().replaceAll('\0', '\uFFFD').slice(0, 4_096))
    .nullable()
    .default(null),
})
export type OrderReport = z.infer<typeof orderReport>
export const reportOrdersRequest = z.object({ orders: z.array(orderReport).min(1).max(100) })
