import { z } from 'zod'
import type { DeliveryId, DispatchId, EventId, JobId, OutputId, RunId } from './ids.ts'

/**
 * Where results go. An output is a stored rule of a job; a dispatch is one sending of it, with one idempotency key for
 * all its tries. `github_reaction`, `github_check` and `github_pull_request` are effects that the GitHub App makes for its
 * own triggers. `room` and `lark` have their place here and are refused until they exist.
 */
export const OUTPUT_KINDS = [
  'log',
  'stdout',
  'file',
  'slack',
  'email',
  'webhook',
  'github_comment',
  'github_reaction',
  'github_check',
  'github_pull_request',
  'room',
  'lark',
] as const
export type OutputKind = (typeof OUTPUT_KINDS)[number]

/** Carried out by the runner of the machine that did the work; every other kind is sent by a relay. */
export const MACHINE_OUTPUT_KINDS = ['stdout', 'file'] as const satisfies readonly OutputKind[]
export const isMachineOutput = (kind: OutputKind) =>
  (MACHINE_OUTPUT_KINDS as readonly OutputKind[]).includes(kind)

/** Kinds that a person can add to a job. */
export const USER_OUTPUT_KINDS = [
  'log',
  'stdout',
  'file',
  'slack',
  'email',
  'webhook',
  'github_comment',
] as const satisfies readonly OutputKind[]
export type UserOutputKind = (typeof USER_OUTPUT_KINDS)[number]

/**
 * When an output is sent: when a machine accepted the work, when the agent started, or when the delivery finished. What
 * a person cancelled is neither a success nor a failure: only `always` tells of it.
 */
export const OUTPUT_MOMENTS = ['accepted', 'started', 'success', 'failure', 'always'] as const
export type OutputMoment = (typeof OUTPUT_MOMENTS)[number]

/**
 * pending: waits for its time. sending: a relay or a runner has it in hand. sent: done. failed: the other side refused it
 * for good, or there is nothing right to send. dead: its tries are used up. skipped: a person, or a change of its output,
 * decided against it.
 */
export const DISPATCH_STATES = ['pending', 'sending', 'sent', 'failed', 'dead', 'skipped'] as const
export type DispatchState = (typeof DISPATCH_STATES)[number]

export const DISPATCH_TRANSITIONS: Record<DispatchState, readonly DispatchState[]> = {
  pending: ['sending', 'skipped'],
  sending: ['pending', 'sent', 'failed', 'dead', 'skipped'],
  sent: [],
  failed: ['pending'],
  dead: ['pending'],
  skipped: ['pending'],
}

export const RESULT_FORMATS = ['text', 'markdown', 'json'] as const
export type ResultFormat = (typeof RESULT_FORMATS)[number]

/** In an answer: a secret is set. In a question: keep the one that is set. */
export const KEPT_SECRET = '***'

const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'must be one line without control characters')
const mailbox = line(320).regex(
  /^[^\s<>"(),:;@[\\\]]{1,64}@[A-Za-z0-9.-]{1,253}$/,
  'must be an address like name@example.com',
)
const httpUrl = z.string().max(2_048).url('must be a URL like https://example.com/hook')
const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9-]+$/, 'must be the name of an HTTP header')

/** What each kind needs to know. Fields named in OUTPUT_SECRETS are stored sealed and never shown again. */
export const outputConfigs = {
  log: z.strictObject({}),
  stdout: z.strictObject({}),
  file: z.strictObject({
    /** Relative to the run's workspace, or absolute inside the folders of the machine's policy. May name run, job and event. */
    path: line(1_024),
    mode: z.enum(['append', 'overwrite']).default('append'),
  }),
  slack: z
    .strictObject({
      webhookUrl: httpUrl.or(z.literal(KEPT_SECRET)).optional(),
      token: line(500).optional(),
      /** With a token: the channel's id or name. */
      channel: line(100).optional(),
      /** Slack's API, for GovSlack. */
      apiUrl: httpUrl.optional(),
    })
    .refine((slack) => (slack.webhookUrl === undefined) !== (slack.token === undefined), {
      error: 'give either webhookUrl, or token and channel',
    })
    .refine((slack) => slack.token === undefined || slack.channel !== undefined, {
      error: 'a bot token needs a channel',
    }),
  email: z.strictObject({
    to: z.array(mailbox).min(1).max(50),
    from: mailbox.optional(),
    /** Absent: the mail server of the relay (BATON_SMTP_URL). */
    host: line(253).optional(),
    port: z.number().int().min(1).max(65_535).optional(),
    user: line(320).optional(),
    password: line(500).optional(),
  }),
  webhook: z.strictObject({
    url: httpUrl,
    /** `whsec_…`; generated and shown once when absent. */
    secret: line(200).optional(),
    headers: z.record(headerName, line(2_000)).optional(),
  }),
  github_comment: z.strictObject({
    /** Absent: where the event came from. */
    repository: z
      .string()
      .regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/, 'must be owner/name')
      .optional(),
    number: z.number().int().positive().optional(),
  }),
  github_reaction: z.looseObject({}),
  github_check: z.looseObject({}),
  github_pull_request: z.looseObject({}),
} satisfies Partial<Record<OutputKind, z.ZodType>>
export type OutputConfigs = { [K in keyof typeof outputConfigs]: z.infer<(typeof outputConfigs)[K]> }

/** The fields of a config that are secrets; of `headers` every value is one. */
export const OUTPUT_SECRETS: Partial<Record<OutputKind, readonly string[]>> = {
  slack: ['webhookUrl', 'token'],
  email: ['password'],
  webhook: ['secret', 'headers'],
}

/** What an output says, for every kind alike. Templates as in prompts, with `run.…` besides. */
export const outputText = z.strictObject({
  subject: line(500).nullable().default(null),
  body: z.string().min(1).max(100_000).nullable().default(null),
  format: z.enum(RESULT_FORMATS).default('text'),
  /** A JSON Schema that the run's result must match; a result that does not is not sent as a success. */
  schema: z.record(z.string(), z.unknown()).nullable().default(null),
})
export type OutputText = z.infer<typeof outputText>

export type OutputView = {
  id: OutputId
  job: { id: JobId; key: string }
  kind: OutputKind
  on: OutputMoment
  /** Where it goes, in a few words and without secrets. */
  target: string
  config: Record<string, unknown>
  text: OutputText
  enabled: boolean
  /** Why it was switched off by itself; null when nobody did or a person did. */
  disabledReason: string | null
  /** Of its newest dispatch. */
  last: { id: DispatchId; state: DispatchState; at: number } | null
  createdAt: number
}

export type DispatchView = {
  id: DispatchId
  kind: OutputKind
  on: OutputMoment | null
  target: string
  state: DispatchState
  /** One sentence: what happened, what comes next, and what to do. */
  sentence: string
  tries: number
  maxTries: number
  nextAt: number | null
  lastError: string | null
  /** A try ended without an answer and could not be read back: the receiver may have it more than once. */
  maybeRepeated: boolean
  externalId: string | null
  url: string | null
  /** What a `log` output says. */
  content: string | null
  output: { id: OutputId; enabled: boolean } | null
  job: { id: JobId; key: string } | null
  deliveryId: DeliveryId | null
  runId: RunId | null
  eventId: EventId | null
  createdAt: number
  sentAt: number | null
}

/** What became of one try, oldest first. */
export type DispatchTry = { at: number; result: string; why: string | null; tookMs: number | null }
export type DispatchDetail = DispatchView & { attempts: DispatchTry[] }

/** How a sample went that a person sent by hand. */
export type OutputTest = { ok: boolean; sentence: string; url: string | null; tookMs: number }

/** Ten tries over three days; what is between them, before jitter takes up to a fifth away. */
export const DISPATCH_PAUSES_MS = [
  5_000, 30_000, 120_000, 600_000, 3_600_000, 14_400_000, 36_000_000, 72_000_000, 129_600_000,
] as const
export const DISPATCH_TRIES = DISPATCH_PAUSES_MS.length + 1
/** One try may take this long; a claim on it is held a little longer. */
export const DISPATCH_TRY_MS = 15_000
export const DISPATCH_CLAIM_MS = 60_000
