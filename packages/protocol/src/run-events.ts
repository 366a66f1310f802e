import { z } from 'zod'
import { ERROR_KIND_NAMES } from './error-kinds.ts'
import { OUTCOMES, RUN_STATES } from './states.ts'

/** Token counts of one run; `costUsd` only where the agent itself reports money. */
export const usageSchema = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  cachedTokens: z.number().int().nonnegative().default(0),
  costUsd: z.number().nonnegative().nullable().default(null),
  model: z.string().nullable().default(null),
})
export type Usage = z.infer<typeof usageSchema>

/** What ended an agent's processes, as it was seen: recorded with every run that did not end by itself. */
export const killProofSchema = z.object({
  signals: z.array(z.object({ signal: z.string(), atMs: z.number(), processes: z.number().int() })),
  survivors: z.number().int(),
  tookMs: z.number(),
})
export type KillProof = z.infer<typeof killProofSchema>

/**
 * One entry of a run's transcript, without its number. Raw output that is no valid UTF-8 comes as `base64`, so no byte
 * is lost to a replacement character. Anything left out is said by `cut` with byte counts and a hash.
 */
export const runEventBody = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('started'),
    runtime: z.string(),
    command: z.array(z.string()),
    version: z.string().nullable(),
    workspace: z.string(),
    pid: z.number().int().nullable(),
  }),
  z.object({ type: z.literal('session'), sessionId: z.string(), model: z.string().nullable() }),
  /** The agent itself showed that it read the prompt: the last step of the delivery ladder before the answer. */
  z.object({ type: z.literal('consumed') }),
  z.object({ type: z.literal('message'), role: z.enum(['assistant', 'user']), text: z.string() }),
  z.object({ type: z.literal('thinking'), text: z.string() }),
  z.object({ type: z.literal('tool_started'), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({
    type: z.literal('tool_finished'),
    id: z.string(),
    ok: z.boolean(),
    output: z.string(),
    exitCode: z.number().int().nullable().default(null),
  }),
  z.object({
    type: z.literal('output'),
    stream: z.enum(['stdout', 'stderr']),
    text: z.string().optional(),
    base64: z.string().optional(),
  }),
  z.object({ type: z.literal('permission_denied'), tool: z.string(), detail: z.string() }),
  z.object({ type: z.literal('retry'), attempt: z.number().int(), reason: z.string() }),
  z.object({ type: z.literal('warning'), text: z.string() }),
  z.object({ type: z.literal('usage'), usage: usageSchema }),
  z.object({
    type: z.literal('cut'),
    stream: z.enum(['stdout', 'stderr', 'both']),
    droppedBytes: z.number().int(),
    sha256: z.string(),
    why: z.string(),
  }),
  z.object({ type: z.literal('adopted'), afterMs: z.number().nullable(), why: z.string() }),
  z.object({ type: z.literal('killed'), reason: z.string(), proof: killProofSchema }),
  z.object({
    type: z.literal('plan'),
    entries: z.array(z.object({ text: z.string(), status: z.enum(['pending', 'in_progress', 'completed']) })),
  }),
  /** What the agent is doing besides, in its own words: compacting, waiting for a tool server. */
  z.object({ type: z.literal('status'), text: z.string() }),
  /** The agent waits for an answer before exactly this action. `ask` is its own number for the question. */
  z.object({
    type: z.literal('approval_asked'),
    ask: z.string(),
    tool: z.string(),
    summary: z.string(),
    input: z.unknown(),
    /** The input is too long for a transcript; `actionHash` is of all of it. */
    inputCut: z.boolean().default(false),
    cwd: z.string(),
    /** SHA-256 of the exact action: an answer to anything else is refused. */
    actionHash: z.string().regex(/^[0-9a-f]{64}$/),
    /** Denied when nobody answered within this time. */
    expiresMs: z.number().int().positive(),
  }),
  z.object({
    type: z.literal('approval_answered'),
    ask: z.string(),
    decision: z.enum(['allow', 'deny']),
    by: z.string(),
    reason: z.string().nullable(),
  }),
  /** Nobody waits for an answer any more. */
  z.object({ type: z.literal('approval_withdrawn'), ask: z.string(), reason: z.string() }),
  /** A person's message into the running run, each time it gets further. */
  z.object({
    type: z.literal('steer'),
    id: z.string(),
    text: z.string(),
    by: z.string(),
    state: z.enum(['queued', 'consumed', 'indeterminate']),
  }),
  z.object({
    type: z.literal('changes'),
    filesChanged: z.number().int(),
    insertions: z.number().int(),
    deletions: z.number().int(),
    branch: z.string().nullable(),
  }),
  z.object({ type: z.literal('result'), text: z.string() }),
  z.object({
    type: z.literal('finished'),
    state: z.enum(RUN_STATES),
    outcome: z.enum(OUTCOMES),
    errorKind: z.enum(ERROR_KIND_NAMES).nullable(),
    message: z.string().nullable(),
    exitCode: z.number().int().nullable(),
    signal: z.string().nullable(),
  }),
])
export type RunEventBody = z.infer<typeof runEventBody>

/** `seq` counts from 1 without a gap; `at` is the machine's wall clock in ms since 1970. */
export type RunEvent = { seq: number; at: number } & RunEventBody

/** A run event as it is stored and sent: `decodeRunEvent(seq, text)` reads it. */
export type EncodedRunEvent = { seq: number; text: string }

/**
 * The text of a run event exactly as it is hashed, stored and sent: both sides keep this text and never encode it
 * again, so that one byte changed anywhere shows in the rolling hash. JSON.stringify writes lone surrogates and NUL as
 * escapes, so the text is always valid UTF-8 without NUL.
 */
export function encodeRunEvent(at: number, body: RunEventBody): string {
  return JSON.stringify({ at, ...body })
}

/** Throws a ZodError when the text is no run event of this version. */
export function decodeRunEvent(seq: number, text: string): RunEvent {
  const { at, ...body } = JSON.parse(text) as { at: number }
  return { seq, at, ...runEventBody.parse(body) }
}
