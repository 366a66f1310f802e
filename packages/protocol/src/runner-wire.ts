import { z } from 'zod'
import { skillRef, spawnReport } from './agent-profile.ts'
import { agentIsolation, approvalRules, budget, TRUST_LEVELS } from './agent-settings.ts'
import { APPROVAL_SCOPES } from './approvals.ts'
import { ERROR_KIND_NAMES } from './error-kinds.ts'
import { freeText as text } from './free-text.ts'
import { agentId, controlId, deliveryId, eventId, jobId, machineId, organizationId, runId } from './ids.ts'
import { machineFacts } from './machine-facts.ts'
import { watchOrders } from './machine-fires.ts'
import { machineOrders } from './machine-orders.ts'
import { runChanges, undoOrder, undoReport } from './run-changes.ts'
import { killProofSchema, usageSchema } from './run-events.ts'
import { PERMISSION_MODES, RUNTIMES, runLimits, runtimeProbe } from './runtimes.ts'
import { EVENT_SOURCES, OUTCOMES } from './states.ts'

/**
 * What a runner and the relay say to each other. Every write of a runner carries the fence of the lease it works under,
 * so that a write from an older lease changes nothing.
 */

const fence = z.number().int().positive()

const lease = z.object({ deliveryId, runId, fence })
export type LeaseRef = z.infer<typeof lease>

/** The wire's connection parameters of the WebSocket; `token` comes from `runner.token`. */
export const runnerConnectionParams = z.object({ token: z.string(), protocolVersion: z.string() })

export const tokenAnswer = z.object({
  token: z.string(),
  expiresAt: z.number(),
  machineId,
  machineName: z.string(),
})
export type TokenAnswer = z.infer<typeof tokenAnswer>

/** A delivery that the runner holds on its disk. `phase` is how far it got there. */
export const heldDelivery = lease.extend({
  phase: z.enum(['accepted', 'running', 'finished']),
})
export type HeldDelivery = z.infer<typeof heldDelivery>

export const runnerHello = z.object({
  /**
   * `<installation>.<start>`: an id kept in the profile's state folder, and one that is new at every start of the process.
   * A restart of the same installation takes its machine over at once; another installation is a conflict.
   */
  instanceId: z.string().regex(/^[\w-]{8,64}\.[\w-]{1,64}$/),
  bootId: text(64),
  protocolVersion: z.number().int(),
  runnerVersion: text(40),
  hostname: text(255),
  os: text(40),
  arch: text(40),
  slots: z.number().int().min(0).max(100),
  /** Take the session over from another live runner with the same key. */
  takeover: z.boolean().default(false),
  held: z.array(heldDelivery).max(10_000),
  runtimes: z.array(runtimeProbe).max(50),
  /** null: the runner is older than this field. */
  facts: machineFacts.nullable().default(null),
})
export type RunnerHello = z.infer<typeof runnerHello>

/**
 * keep: go on. drop: another lease overtook it, end it and forget it. cancel: end it and settle it as cancelled.
 * settled: the relay has its end, forget it.
 */
export const VERDICTS = ['keep', 'drop', 'cancel', 'settled'] as const
export const helloAnswer = z.object({
  organizationId,
  machineId,
  machineName: z.string(),
  relayVersion: z.string(),
  leaseMs: z.number(),
  renewEveryMs: z.number(),
  heartbeatEveryMs: z.number(),
  /** One for each held delivery. `ackedSeq`: the relay has this run's events up to here. */
  verdicts: z.array(
    z.object({
      deliveryId,
      runId,
      verdict: z.enum(VERDICTS),
      ackedSeq: z.number().int(),
      reason: z.string(),
    }),
  ),
})
export type HelloAnswer = z.infer<typeof helloAnswer>

export const pushedDelivery = lease.extend({
  attempt: z.number().int().positive(),
  agent: z.object({
    id: agentId,
    key: z.string(),
    runtime: z.enum(RUNTIMES),
    /** For `command`: the name of an executable in the machine's policy file; never an argv. */
    command: z.string().nullable(),
    instructions: z.string(),
    model: z.string().nullable(),
    permissionMode: z.enum(PERMISSION_MODES),
    isolation: agentIsolation.default({ kind: 'host' }),
    approvals: approvalRules.prefault({}),
    /** Names of secrets that the runner fetches for the child's environment when it starts it; never their values. */
    secretNames: z.array(z.string()).default([]),
    /** What its skills folder on the machine shall hold. */
    skills: z.array(skillRef).max(200).default([]),
  }),
  /** How far what started it is trusted: the runner gives `public` work the least power. */
  trust: z.enum(TRUST_LEVELS).default('member'),
  /** What the job asks for runs that came from outside; the machine's policy has the last word. */
  publicRights: z
    .object({ trust: z.enum(TRUST_LEVELS), permissionMode: z.enum(PERMISSION_MODES).nullable() })
    .nullable()
    .default(null),
  /** The most that this run may use. */
  budget: budget.prefault({}),
  /** An absolute folder, or null: a folder of the agent's own that the runner keeps. */
  workspace: z.object({
    path: z.string().nullable(),
    /** A new empty folder for this run alone, so that runs of one agent can work side by side. */
    scratch: z.boolean(),
    /** A git worktree of its own on a branch of its own: `repository` is an absolute folder or a URL to clone. */
    worktree: z
      .object({ repository: z.string().max(4_096), ref: z.string().max(300).nullable() })
      .nullable()
      .default(null),
  }),
  prompt: z.string(),
  job: z.object({ id: jobId, key: z.string() }).nullable(),
  event: z.object({
    id: eventId,
    source: z.enum(EVENT_SOURCES),
    contentType: z.string().nullable(),
    /** The body as text when it is UTF-8 and small enough, else null. */
    body: z.string().nullable(),
  }),
  limits: runLimits,
  /** The agent CLI's own conversation to go on with, when there is one. */
  sessionId: z.string().nullable(),
  /** The folder that the session belongs to; most CLIs find it only from there. */
  sessionCwd: z.string().nullable().default(null),
  /** The session already has this prompt and failed after it: only nudge it to go on. */
  nudge: z.boolean().default(false),
  /** Deliveries of one conversation go on with one session; null: each run is a conversation of its own. */
  conversation: z.string().nullable().default(null),
})
export type PushedDelivery = z.infer<typeof pushedDelivery>

/**
 * What a person tells a run that goes on. Each is sent again until the runner has acknowledged it, which it does only when
 * what follows from it is on its disk. `by` names the person.
 */
export const runControl = z.discriminatedUnion('kind', [
  lease.extend({
    kind: z.literal('answer'),
    id: controlId,
    ask: z.string(),
    /** Of the action that was answered: the runner refuses the answer for any other. */
    actionHash: z.string(),
    decision: z.enum(['allow', 'deny']),
    scope: z.enum(APPROVAL_SCOPES),
    /** For `session` and `job`: what is allowed from now on without a question. */
    pattern: z.string().nullable(),
    message: z.string().nullable(),
    by: z.string(),
  }),
  lease.extend({ kind: z.literal('steer'), id: controlId, text: z.string(), by: z.string() }),
  lease.extend({ kind: z.literal('interrupt'), id: controlId, by: z.string() }),
])
export type RunControl = z.infer<typeof runControl>
/** A control in words of a newer relay is left out and hides nothing else; it is never acknowledged. */
const runControls = z
  .array(z.unknown())
  .default([])
  .transform((all) =>
    all.map((one) => runControl.safeParse(one).data).filter((one): one is RunControl => one !== undefined),
  )

export const runnerPush = z.object({
  deliveries: z.array(pushedDelivery),
  cancels: z.array(lease.extend({ reason: z.string() })),
  controls: runControls,
  /** Workspaces to be put back. Sent again at each new session until `undone` was called. */
  undos: z.array(undoOrder).default([]),
  /** Outputs that this machine carries out, each until it was reported. */
  orders: machineOrders,
  /** The folders to watch, when they are others than the runner said it knows. */
  watches: watchOrders.nullable().default(null),
})
export type RunnerPush = z.infer<typeof runnerPush>

/** `slots` is what is free now, not counting deliveries that were pushed and neither accepted nor refused yet. */
export const openSession = z.object({
  instanceId: z.string(),
  slots: z.number().int().min(0).max(100),
  lastEventId: z.string().nullish(),
  /** Of the watches that it has on its disk. */
  watchesVersion: z.string().max(100).nullish(),
})

export const acceptRequest = z.object({ deliveries: z.array(lease).min(1).max(1_000) })
export const leaseAnswer = z.object({
  deliveryId,
  ok: z.boolean(),
  /** Why not: the lease is no longer this one's, or a person cancelled it. */
  reason: z.enum(['lease_lost', 'cancelled']).nullable(),
})
export type LeaseAnswer = z.infer<typeof leaseAnswer>

export const startReport = lease.extend({ startedAt: z.number(), workspace: text(4_096) })
/** The machine's wall clock when this was sent: its times are shifted onto the database's clock with it. */
const sentAt = z.number()
export const startRequest = z.object({ sentAt, runs: z.array(startReport).min(1).max(1_000) })

export const renewRequest = z.object({ deliveries: z.array(lease).max(1_000), heartbeat: z.boolean() })
/** `cancel` asks again for every cancel that was not settled yet, so a lost push costs one renew period. */
export const renewAnswer = z.object({
  deliveryId,
  ok: z.boolean(),
  reason: z.enum(['lease_lost', 'cancelled']).nullable(),
  cancel: z.string().nullable(),
  /** Controls of this run that were not acknowledged yet. */
  controls: runControls,
})
export type RenewAnswer = z.infer<typeof renewAnswer>

/** The runner cannot take it now (`retryAfterMs`) or can never take it as it stands (`final`). */
export const refusal = lease.extend({
  errorKind: z.enum(ERROR_KIND_NAMES),
  message: text(2_000),
  final: z.boolean(),
  retryAfterMs: z.number().int().min(0).max(86_400_000).default(0),
})
export const refuseRequest = z.object({ deliveries: z.array(refusal).min(1).max(1_000) })

/** JSON never has raw control characters; a text that has was not made by `encodeRunEvent`. */
const eventText = z
  .string()
  .max(512 * 1024)
  .refine(
    (value) => value.startsWith('{"at":') && !value.includes('\0') && value.isWellFormed(),
    'not an encoded run event',
  )

/** `events` are encoded texts (see run-events.ts), numbered from `fromSeq` without a gap. */
export const appendRequest = z.object({
  runId,
  fence,
  fromSeq: z.number().int().positive(),
  events: z.array(eventText).min(1).max(5_000),
})
export type AppendRequest = z.infer<typeof appendRequest>
/** `ackedSeq`: everything up to here is stored. When it is not what was sent, go on from `ackedSeq + 1`. */
export const appendAnswer = z.object({
  ackedSeq: z.number().int(),
  result: z.enum(['stored', 'repeat', 'gap', 'unknown_run']),
})
export type AppendAnswer = z.infer<typeof appendAnswer>

export const settleReport = lease.extend({
  /** The same for every try of this report. */
  finishKey: z.string().min(8).max(100),
  state: z.enum(['succeeded', 'failed', 'cancelled', 'timed_out', 'superseded']),
  outcome: z.enum(OUTCOMES),
  errorKind: z.enum(ERROR_KIND_NAMES).nullable(),
  message: text(4_000).nullable(),
  exitCode: z.number().int().nullable(),
  signal: text(20).nullable(),
  sessionId: text(200).nullable(),
  usage: usageSchema.nullable(),
  /** When the agent said that its quota comes back; the machine's wall clock, in ms. */
  quotaUntil: z.number().nullable().default(null),
  changes: runChanges.nullable().default(null),
  spawn: spawnReport.nullable().default(null),
  result: text(256 * 1024).nullable(),
  killProof: killProofSchema.nullable(),
  /** The transcript's length and rolling hash as the runner has it. */
  finalSeq: z.number().int().nonnegative(),
  finalHash: z.string().regex(/^[0-9a-f]{64}$/),
  startedAt: z.number().nullable(),
  firstOutputAt: z.number().nullable(),
  finishedAt: z.number(),
})
export type SettleReport = z.infer<typeof settleReport>
export const settleRequest = z.object({ sentAt, runs: z.array(settleReport).min(1).max(500) })
export const settleAnswer = z.object({
  deliveryId,
  runId,
  /** superseded: kept on that run, changed nothing else. unknown: the relay has no such run. */
  result: z.enum(['settled', 'already', 'superseded', 'unknown']),
})
export type SettleAnswer = z.infer<typeof settleAnswer>

/** The values of the agent's secrets for a run that this machine holds under this fence and has not settled. */
export const secretsRequest = z.object({ runId, fence })
/** null: this machine does not hold such a run. */
export const secretsAnswer = z.object({ values: z.record(z.string(), z.string()).nullable() })
export type SecretsAnswer = z.infer<typeof secretsAnswer>
/** The texts of the skills of that run's agent. */
export const skillsRequest = secretsRequest
export const skillsAnswer = z.object({ skills: z.array(skillRef.extend({ text: z.string() })).nullable() })
export type SkillsAnswer = z.infer<typeof skillsAnswer>

/** These controls are carried out, as far as the machine can, or refused for good; both are on its disk. */
export const acknowledgeRequest = z.object({
  controls: z
    .array(
      z.object({
        id: controlId,
        runId,
        result: z.enum(['delivered', 'refused']),
        reason: text(1_000).nullable(),
      }),
    )
    .min(1)
    .max(1_000),
})
export type ControlAnswer = z.infer<typeof acknowledgeRequest>['controls'][number]

export const undoneRequest = z.object({ undos: z.array(undoReport).min(1).max(100) })

/** The run's machine asks for a token with which it may push the run's branch. */
export const githubTokenRequest = lease
/** What became of the push. The token is handed back to be revoked. */
export const githubPushedRequest = lease.extend({
  branch: text(300).nullable(),
  commit: text(64).nullable(),
  problem: text(1_000).nullable(),
  token: z.string().max(500).nullable(),
})

export const offerRequest = z.object({ slots: z.number().int().min(1).max(100) })
/** Tells the relay why this runner goes, so that "offline" carries its cause at once. */
export const goodbyeRequest = z.object({ cause: z.enum(['stopped', 'restarting', 'sleeping']) })
export const pullRequest = openSession.extend({ waitMs: z.number().int().min(0).max(25_000) })
