import { z } from 'zod'
import { count, hash, LONG, maybeText, stamp, text } from './export-fields.ts'
import { agentId, jobId, machineId } from './ids.ts'
import { RUNTIMES } from './runtimes.ts'

/** These rows have no id of their own: it is their agent's, and the MD5 of the rest of their key. */
const rowOfAgent = z.string().regex(/^agt_[0-9a-f]{32}:[0-9a-f]{32}$/)

/** What belongs to an agent beside its own row. Its secrets are not in an export. */
export const exportAgentRows = {
  skills: z.strictObject({
    id: rowOfAgent,
    agentId,
    name: text(200),
    description: text(LONG),
    text: text(LONG),
    hash,
    updatedAt: stamp,
  }),
  /** Conversations to go on with, on the machine that has them. */
  sessions: z.strictObject({
    id: rowOfAgent,
    agentId,
    conversation: text(1_000),
    runtime: z.enum(RUNTIMES),
    machineId,
    sessionId: text(1_000),
    cwd: maybeText(8_192),
    updatedAt: stamp,
  }),
  /** What runs of a day used, also those whose rows are deleted by now. */
  usage: z.strictObject({
    id: rowOfAgent,
    agentId,
    day: z.string().regex(/^\d{4}-\d\d-\d\d$/),
    machineId,
    jobId: jobId.nullable(),
    model: maybeText(1_000),
    runs: count,
    pricedRuns: count,
    inputTokens: count,
    outputTokens: count,
    cachedTokens: count,
    costUsd: z.number().nonnegative(),
  }),
}
