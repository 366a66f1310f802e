import { z } from 'zod'
import { TRUST_LEVELS } from './agent-settings.ts'
import { PERMISSION_MODES } from './runtimes.ts'

/** What happens when a job fires while an earlier firing with the same key is not finished. */
export const OVERLAPS = ['queue', 'skip', 'replace', 'coalesce'] as const
export type Overlap = (typeof OVERLAPS)[number]

const DAY_MS = 86_400_000

/** When and beside what a job's deliveries may run. Durations in ms; `null` means no such rule. */
export const runRules = z.object({
  /** Higher goes first on its machine. */
  priority: z.number().int().min(-100).max(100),
  /** Wait this long before the first attempt. */
  delayMs: z
    .number()
    .int()
    .min(0)
    .max(30 * DAY_MS),
  /** Expire when no machine has taken it by then. */
  ttlMs: z
    .number()
    .int()
    .min(1_000)
    .max(365 * DAY_MS)
    .nullable(),
  /** Give a run up when its machine stays away this long in the middle of it. */
  stallMs: z
    .number()
    .int()
    .min(1_000)
    .max(365 * DAY_MS)
    .nullable(),
  /** At most this many runs of the job start within an hour; more wait. */
  perHour: z.number().int().min(1).max(100_000).nullable(),
  /** At most `limit` at once of all with the same key, a template like the prompt. */
  concurrency: z
    .object({ key: z.string().min(1).max(500), limit: z.number().int().min(1).max(1_000) })
    .nullable(),
  /**
   * `queue`: one after the other. `skip`: the new event starts nothing and says so. `replace`: the earlier one is
   * stopped. `coalesce`: one that still waits takes the newest event's place. The key is the concurrency key, or the job.
   */
  overlap: z.enum(OVERLAPS),
  /**
   * A template like the prompt: runs with the same text go on with one conversation of their agent, one after the
   * other. Not together with `concurrency`.
   */
  conversation: z.string().min(1).max(500).nullable().optional(),
  /** `member`: what its public triggers bring is trusted like a member's words, where the machine's policy agrees. */
  trust: z.enum(TRUST_LEVELS).nullable().optional(),
  /** The permission mode of runs that came from outside, where the machine's policy agrees; else it is read_only. */
  publicMode: z.enum(PERMISSION_MODES).nullable().optional(),
})
export type RunRules = z.infer<typeof runRules>

export const DEFAULT_RULES: RunRules = {
  priority: 0,
  delayMs: 0,
  ttlMs: null,
  stallMs: null,
  perHour: null,
  concurrency: null,
  overlap: 'queue',
  conversation: null,
  trust: null,
  publicMode: null,
}
