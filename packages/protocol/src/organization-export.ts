import { z } from 'zod'
import { spawnReport } from './agent-profile.ts'
import { agentIsolation, budget, TRUST_LEVELS } from './agent-settings.ts'
import { ANSWERED_VIA, APPROVAL_SCOPES, approvalSettings } from './approvals.ts'
import { ERROR_KIND_NAMES } from './error-kinds.ts'
import { exportAgentRows } from './export-agent-rows.ts'
import { count, hash, LONG, maybeStamp, maybeText, stamp, text } from './export-fields.ts'
import {
  agentId,
  approvalId,
  deliveryId,
  dispatchId,
  eventId,
  jobId,
  machineId,
  outputId,
  runId,
  triggerId,
} from './ids.ts'
import { DISPATCH_STATES, OUTPUT_KINDS, OUTPUT_MOMENTS, outputText } from './outputs.ts'
import { jobRetentionSchema, retentionSchema } from './retention.ts'
import { runChanges } from './run-changes.ts'
import { killProofSchema, usageSchema } from './run-events.ts'
import { runRules } from './run-rules.ts'
import { PERMISSION_MODES, RUNTIMES, runLimits, runtimeProbe } from './runtimes.ts'
import {
  EVENT_SOURCES,
  EVENT_STATES,
  FINISHED_DELIVERY_STATES,
  FINISHED_RUN_STATES,
  IGNORED_REASONS,
  OUTCOMES,
} from './states.ts'
import { TRIGGER_KINDS, WEBHOOK_SCHEMES } from './triggers.ts'

/**
 * An organization as a folder: one file of NDJSON for each kind in this order (each refers only to those before it),
 * `transcripts.ndjson` (packages/protocol/src/transcript-file.ts), and `manifest.json` with the SHA-256 of each.
 *
 * What can be shown to nobody is not in it: keys, tokens and webhook secrets are listed in the manifest as what must be
 * made anew. Neither is work that has not finished: here it would run a second time.
 */
export const EXPORT_FORMAT = 'baton-organization/1'
export const ROW_KINDS = [
  'organization',
  'machines',
  'agents',
  'skills',
  'sessions',
  'jobs',
  'usage',
  'triggers',
  'outputs',
  'events',
  'deliveries',
  'runs',
  'approvals',
  'dispatches',
] as const
export type RowKind = (typeof ROW_KINDS)[number]
export const EXPORT_KINDS = [...ROW_KINDS, 'transcripts'] as const
export type ExportKind = (typeof EXPORT_KINDS)[number]
/** Exports of older relays do not have these. */
export const LATER_KINDS: readonly ExportKind[] = ['skills', 'sessions', 'usage']

const eventVerification = z.strictObject({
  scheme: z.enum(WEBHOOK_SCHEMES),
  signedId: z.boolean(),
  signedAt: z.number().nullable(),
})

export const exportRows = {
  ...exportAgentRows,
  organization: z.strictObject({ name: text(200), retention: retentionSchema }),
  machines: z.strictObject({
    id: machineId,
    name: text(200),
    hostname: maybeText(1_000),
    os: maybeText(200),
    arch: maybeText(200),
    runnerVersion: maybeText(200),
    slots: z.number().int().min(0).max(100),
    runtimes: z.array(runtimeProbe),
    revokedAt: maybeStamp,
    archivedAt: maybeStamp,
    createdAt: stamp,
  }),
  agents: z.strictObject({
    id: agentId,
    machineId,
    key: text(200),
    name: text(200),
    runtime: z.enum(RUNTIMES),
    command: maybeText(1_000),
    instructions: text(LONG),
    model: maybeText(1_000),
    permissionMode: z.enum(PERMISSION_MODES),
    workspace: maybeText(8_192),
    maxConcurrent: z.number().int().min(1).max(100),
    perHour: z.number().int().min(1).nullable(),
    approvals: approvalSettings.default({}),
    isolation: agentIsolation.default({ kind: 'host' }),
    budget: budget.nullable().default(null),
    pausedAt: maybeStamp,
    archivedAt: maybeStamp,
    createdAt: stamp,
  }),
  jobs: z.strictObject({
    id: jobId,
    agentId,
    key: text(200),
    name: text(200),
    prompt: text(LONG),
    workspace: maybeText(8_192),
    limits: runLimits,
    rules: runRules,
    approvals: approvalSettings.default({}),
    budget: budget.nullable().default(null),
    retention: jobRetentionSchema,
    disabledAt: maybeStamp,
    deletedAt: maybeStamp,
    createdAt: stamp,
    updatedAt: stamp,
  }),
  triggers: z.strictObject({
    id: triggerId,
    jobId,
    kind: z.enum(TRIGGER_KINDS),
    path: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,100}$/)
      .nullable(),
    scheme: z.enum(WEBHOOK_SCHEMES).nullable(),
    config: z.record(z.string(), z.json()).default({}),
    pausedAt: maybeStamp.default(null),
    deletedAt: maybeStamp,
    createdAt: stamp,
  }),
  /** Without their secrets: `***` stands where one was. */
  outputs: z.strictObject({
    id: outputId,
    jobId,
    kind: z.enum(OUTPUT_KINDS),
    moment: z.enum(OUTPUT_MOMENTS),
    config: z.record(z.string(), z.unknown()),
    message: outputText,
    disabledAt: maybeStamp,
    disabledReason: maybeText(10_000),
    deletedAt: maybeStamp,
    createdAt: stamp,
  }),
  events: z.strictObject({
    id: eventId,
    jobId: jobId.nullable(),
    triggerId: triggerId.nullable(),
    source: z.enum(EVENT_SOURCES),
    state: z.enum(EVENT_STATES),
    reason: z.enum(IGNORED_REASONS).nullable(),
    reasonMessage: maybeText(10_000).default(null),
    verification: eventVerification.nullable().default(null),
    cause: maybeText(100).default(null),
    hops: count.default(0),
    coalescedInto: deliveryId.nullable().default(null),
    /** The trigger's id, or a text in which `@` stands for the organization: nobody else's repeats are touched. */
    dedupScope: text(200),
    dedupKey: text(1_000),
    bodyHash: text(200),
    contentType: maybeText(1_000),
    headers: z.record(z.string(), z.string()),
    /** In base64. */
    body: z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/),
    receivedAt: stamp,
  }),
  deliveries: z.strictObject({
    id: deliveryId,
    eventId,
    jobId: jobId.nullable(),
    agentId,
    machineId,
    state: z.enum(FINISHED_DELIVERY_STATES),
    reason: maybeText(200),
    reasonMessage: maybeText(10_000),
    runId,
    attempt: count,
    maxAttempts: z.number().int().min(1),
    repeatable: z.boolean(),
    priority: z.number().int(),
    workspace: maybeText(8_192),
    prompt: text(LONG),
    limits: runLimits,
    trust: z.enum(TRUST_LEVELS).default('member'),
    conversation: maybeText(1_000).default(null),
    expiresAt: maybeStamp,
    leasedAt: maybeStamp,
    acceptedAt: maybeStamp,
    cancelRequestedAt: maybeStamp,
    cancelReason: maybeText(10_000),
    finishKey: maybeText(1_000),
    createdAt: stamp,
    stateSince: stamp,
    finishedAt: stamp,
  }),
  runs: z.strictObject({
    id: runId,
    deliveryId,
    machineId,
    agentId,
    jobId: jobId.nullable(),
    attempt: z.number().int().min(1),
    state: z.enum(FINISHED_RUN_STATES),
    outcome: z.enum(OUTCOMES).nullable(),
    errorKind: z.enum(ERROR_KIND_NAMES).nullable(),
    message: maybeText(LONG),
    exitCode: z.number().int().nullable(),
    signal: maybeText(200),
    sessionId: maybeText(1_000),
    workspace: maybeText(8_192),
    result: maybeText(LONG),
    usage: usageSchema.nullable(),
    killProof: killProofSchema.nullable(),
    spawn: spawnReport.nullable().default(null),
    changes: runChanges.omit({ diff: true }).nullable().default(null),
    diff: maybeText(LONG).default(null),
    lastSeq: count,
    lastHash: hash,
    finalSeq: count.nullable(),
    finalHash: hash.nullable(),
    finishKey: maybeText(1_000),
    leasedAt: stamp,
    acceptedAt: stamp,
    startedAt: maybeStamp,
    firstOutputAt: maybeStamp,
    consumedAt: maybeStamp,
    finishedAt: maybeStamp,
  }),
  approvals: z.strictObject({
    id: approvalId,
    runId,
    deliveryId,
    ask: text(1_000),
    tool: text(1_000),
    summary: text(LONG),
    input: z.unknown(),
    inputCut: z.boolean(),
    cwd: text(8_192),
    actionHash: hash,
    state: z.enum(['allowed', 'denied', 'expired', 'withdrawn']),
    askedAt: stamp,
    expiresAt: stamp,
    scope: z.enum(APPROVAL_SCOPES).nullable(),
    pattern: maybeText(1_000),
    message: maybeText(10_000),
    answeredName: maybeText(1_000),
    answeredVia: z.enum(ANSWERED_VIA),
    answeredAt: stamp,
  }),
  dispatches: z.strictObject({
    id: dispatchId,
    outputId: outputId.nullable(),
    jobId: jobId.nullable(),
    eventId: eventId.nullable(),
    deliveryId,
    runId: runId.nullable(),
    kind: z.enum(OUTPUT_KINDS),
    key: text(1_000),
    state: z.enum(DISPATCH_STATES).exclude(['pending', 'sending']),
    tries: count,
    lastError: maybeText(10_000),
    cause: maybeText(10_000),
    maybeRepeated: z.boolean(),
    attempts: z.array(z.unknown()),
    externalId: maybeText(5_000),
    url: maybeText(5_000),
    content: maybeText(LONG),
    createdAt: stamp,
    firstTriedAt: maybeStamp,
    sentAt: maybeStamp,
    finishedAt: stamp,
  }),
} satisfies Record<RowKind, z.ZodType>

export type ExportRow<K extends RowKind> = z.infer<(typeof exportRows)[K]>

/** What the importing organization has to make for itself. */
export const makeAnewSchema = z.strictObject({
  machineKeys: z.array(z.string()),
  webhookSecrets: z.array(z.strictObject({ job: z.string(), path: z.string(), scheme: z.string() })),
  tokens: z.array(z.string()),
  members: z.array(z.strictObject({ name: z.string(), email: z.string().nullable(), role: z.string() })),
  /** Exports of older relays do not name them. */
  githubApps: z.exactOptional(
    z.array(z.strictObject({ slug: z.string(), webUrl: z.string(), appId: z.number() })),
  ),
})

export const exportManifest = z.strictObject({
  format: z.literal(EXPORT_FORMAT),
  organization: z.strictObject({ slug: z.string(), name: z.string() }),
  /** What had finished by then is in it. */
  until: stamp,
  /** Deliveries that had not, and are not in it. */
  unfinished: count,
  files: z.array(
    z.strictObject({
      kind: z.enum(EXPORT_KINDS),
      file: z.string(),
      lines: count,
      bytes: count,
      sha256: hash,
    }),
  ),
  makeAnew: makeAnewSchema,
  /** Of this manifest without this field: its own check. */
  sha256: hash,
})
export type ExportManifest = z.infer<typeof exportManifest>

export type ExportStart = Pick<ExportManifest, 'organization' | 'until' | 'unfinished' | 'makeAnew'>
/** `run:seq` pages for transcripts; a cursor is what a page gave as `next`. */
export type ExportPage = { rows: unknown[]; next: string | null }

/** `done`: all of it is there already. */
export type ImportState = 'open' | 'done'
/** How many rows of each kind an organization holds after an import. */
export type ImportCounts = Record<Exclude<RowKind, 'organization'> | 'runEvents', number>
