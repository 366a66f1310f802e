import { z } from 'zod'
import { triggerFilter } from './filters.ts'
import { githubTrigger, githubTriggerChange, githubTriggerConfig } from './github.ts'

/**
 * What fires a job, one schema for each kind: the input of `jobs.create` and `jobs.addTrigger`, and (without what is kept
 * in columns of its own or shown once) the trigger's stored `config`.
 */
export const TRIGGER_KINDS = [
  'webhook',
  'manual',
  'cron',
  'interval',
  'file_change',
  'git_push',
  'github',
  'message',
] as const
export type TriggerKind = (typeof TRIGGER_KINDS)[number]

/** How a webhook's sender proves itself. `none`: not at all, for jobs that run a fixed command only. */
export const WEBHOOK_SCHEMES = [
  'github',
  'standard',
  'slack',
  'stripe',
  'lark',
  'baton',
  'bearer',
  'none',
] as const
export type WebhookScheme = (typeof WEBHOOK_SCHEMES)[number]

export const hookPath = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/, 'use 1 to 100 letters, digits, dashes and underscores')

/** All must hold, else the event is kept and ignored. */
const filters = z.array(triggerFilter).max(20).default([])

export const webhookConfig = z.strictObject({
  filters,
  /** Needed for the scheme `none`: anybody who knows the address can fire the job. */
  acceptUnsigned: z.boolean().default(false),
})
export type WebhookConfig = z.infer<typeof webhookConfig>

/**
 * What becomes of slots that passed while no relay could fire them (or the clock jumped): none of them, the last one,
 * or the newest `max`. Those that are made up for start spread over a minute.
 */
export const misfire = z.strictObject({
  policy: z.enum(['none', 'last', 'all']).default('last'),
  max: z.number().int().min(1).max(100).default(10),
})
export type Misfire = z.infer<typeof misfire>

export const cronConfig = z.strictObject({
  /** Five fields (minute, hour, day, month, weekday) or a word such as `@daily`. */
  expression: z.string().trim().min(1).max(200),
  /** An IANA time zone. */
  zone: z.string().min(1).max(100).default('UTC'),
  misfire: misfire.prefault({}),
})
export type CronConfig = z.infer<typeof cronConfig>

export const intervalConfig = z.strictObject({
  everyMs: z
    .number()
    .int()
    .min(10_000, 'give at least 10 seconds')
    .max(366 * 86_400_000, 'give at most 366 days'),
  misfire: misfire.prefault({}),
})
export type IntervalConfig = z.infer<typeof intervalConfig>

const glob = z.string().min(1).max(300)
export const DEFAULT_IGNORES = ['**/.git/**', '**/node_modules/**']

export const fileChangeConfig = z.strictObject({
  /** A folder on the machine of the job's agent. */
  folder: z
    .string()
    .max(4_096)
    .refine(
      (path) => path.startsWith('/') || /^~(\/|$)/.test(path) || /^[A-Za-z]:[\\/]/.test(path),
      'give an absolute folder on that machine, or one that begins with ~/',
    ),
  /** On the path below the folder, with slashes. */
  globs: z.array(glob).min(1).max(50).default(['**']),
  ignore: z.array(glob).max(100).default(DEFAULT_IGNORES),
  /** Fires once nothing has changed for this long. */
  quietMs: z.number().int().min(100).max(3_600_000).default(2_000),
})
export type FileChangeConfig = z.infer<typeof fileChangeConfig>

export const gitPushConfig = z.strictObject({
  /** Names of branches, such as `main` or `release/*`. */
  branches: z.array(glob).min(1).max(50).default(['**']),
})
export type GitPushConfig = z.infer<typeof gitPushConfig>

export const webhookTrigger = webhookConfig.extend({
  kind: z.literal('webhook'),
  scheme: z.enum(WEBHOOK_SCHEMES),
  /** The end of the public address; made, and unguessable, when absent. */
  path: hookPath.optional(),
  /** Made when absent. */
  secret: z.string().max(500).optional(),
})
export const cronTrigger = cronConfig.extend({ kind: z.literal('cron') })
export const intervalTrigger = intervalConfig.extend({ kind: z.literal('interval') })
export const fileChangeTrigger = fileChangeConfig.extend({ kind: z.literal('file_change') })
export const gitPushTrigger = gitPushConfig.extend({ kind: z.literal('git_push') })

export const triggerInput = z.discriminatedUnion('kind', [
  webhookTrigger,
  cronTrigger,
  intervalTrigger,
  fileChangeTrigger,
  gitPushTrigger,
  githubTrigger,
])
export type TriggerInput = z.infer<typeof triggerInput>
export type NewTriggerInput = z.input<typeof triggerInput>

/** What of a trigger can be changed: any part of its config. Its kind, scheme and path stay. */
export const triggerChange = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('webhook'),
    filters: z.array(triggerFilter).max(20).optional(),
    acceptUnsigned: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal('cron'),
    expression: cronConfig.shape.expression.optional(),
    zone: z.string().min(1).max(100).optional(),
    misfire: misfire.optional(),
  }),
  z.strictObject({
    kind: z.literal('interval'),
    everyMs: intervalConfig.shape.everyMs.optional(),
    misfire: misfire.optional(),
  }),
  z.strictObject({
    kind: z.literal('file_change'),
    folder: fileChangeConfig.shape.folder.optional(),
    globs: z.array(glob).min(1).max(50).optional(),
    ignore: z.array(glob).max(100).optional(),
    quietMs: fileChangeConfig.shape.quietMs.unwrap().optional(),
  }),
  z.strictObject({ kind: z.literal('git_push'), branches: z.array(glob).min(1).max(50).optional() }),
  githubTriggerChange,
])
export type TriggerChange = z.infer<typeof triggerChange>

/** The stored config of each kind. Kinds without one here keep an empty object. */
export const TRIGGER_CONFIGS = {
  webhook: webhookConfig,
  cron: cronConfig,
  interval: intervalConfig,
  file_change: fileChangeConfig,
  git_push: gitPushConfig,
  github: githubTriggerConfig,
} as const

export type NextFires = {
  /** Such as "At 02:30, Monday through Friday (Europe/Berlin)". */
  words: string
  zone: string
  /** The zone of `local`. */
  shownIn: string
  fires: { at: number; local: string }[]
}

/** What the machine says about a folder that it watches. */
export const watchState = z.object({
  state: z.enum(['watching', 'polling', 'refused', 'failed']),
  /** Why it is polled, refused or failed, as a sentence. */
  message: z.string().max(1_000).nullable(),
})
export type WatchState = z.infer<typeof watchState>

/** Chains of events that cause each other end here. */
export const MAX_HOPS = 8
/** Events a minute that a job takes from runs, before it is taken for a loop. */
export const CAUSED_PER_MINUTE = 30
/** `X-Baton-Cause: <run or output id>; hops=<n>`: what made the sender send this. Ours emit it and the intake reads it. */
export const CAUSE_HEADER = 'x-baton-cause'
export type Cause = { id: string; hops: number }

export const causeHeader = ({ id, hops }: Cause): string => `${id}; hops=${hops}`

/** Null for anything that is not such a header: a cause is never a reason to refuse a request. */
export function readCause(header: string | undefined): Cause | null {
  const match = /^([a-z]{3}_[0-9a-f]{32})\s*(?:;\s*hops=(\d{1,3}))?\s*$/.exec(header ?? '')
  return match ? { id: match[1] ?? '', hops: Math.max(1, Number(match[2] ?? 1)) } : null
}
