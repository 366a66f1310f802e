import { z } from 'zod'

/**
 * How long finished work is kept: the newest `runs` of each job, and none whose delivery ended more than `days` ago.
 * Runs without a job go by `days` alone. Whatever the numbers: nothing unfinished goes, and nothing whose event came
 * within the 72 hours in which a repeat of it must still be known.
 */
export const retentionSchema = z.strictObject({
  runs: z.number().int().min(1).max(1_000_000),
  days: z.number().int().min(1).max(3_650),
})
export type Retention = z.infer<typeof retentionSchema>

/** A job's own numbers; null follows the organization. */
export const jobRetentionSchema = z.strictObject({
  runs: retentionSchema.shape.runs.nullable(),
  days: retentionSchema.shape.days.nullable(),
})
export type JobRetention = z.infer<typeof jobRetentionSchema>
