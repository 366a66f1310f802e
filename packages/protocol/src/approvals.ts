import { z } from 'zod'
import type { ApprovalRules } from './agent-settings.ts'
import type { AgentId, ApprovalId, ControlId, DeliveryId, JobId, MachineId, RunId, UserId } from './ids.ts'

/**
 * An approval is open until the first of: a person's answer, its time, the end of what asked. Whatever is not an explicit
 * `allowed` means no.
 */
export const APPROVAL_STATES = ['open', 'allowed', 'denied', 'expired', 'withdrawn'] as const
export type ApprovalState = (typeof APPROVAL_STATES)[number]
export const APPROVAL_TRANSITIONS: Record<ApprovalState, readonly ApprovalState[]> = {
  open: ['allowed', 'denied', 'expired', 'withdrawn'],
  allowed: [],
  denied: [],
  expired: [],
  withdrawn: [],
}

/** `once`: this action. `session`: its pattern for the rest of the run. `job`: its pattern for all later runs of the job. */
export const APPROVAL_SCOPES = ['once', 'session', 'job'] as const
export type ApprovalScope = (typeof APPROVAL_SCOPES)[number]

/** From where a person did something. */
export const ANSWERED_VIA = ['dashboard', 'cli', 'sdk', 'relay'] as const
export type AnsweredVia = (typeof ANSWERED_VIA)[number]

/**
 * What a person tells a run, on its way: `queued` at the relay, `delivered` on the machine's disk. A steered message is
 * then `consumed` by the agent, or `indeterminate` when nothing shows whether it was. `refused` by the machine with a
 * reason; `lapsed` when the run ended first.
 */
export const CONTROL_STATES = [
  'queued',
  'delivered',
  'consumed',
  'indeterminate',
  'refused',
  'lapsed',
] as const
export type ControlState = (typeof CONTROL_STATES)[number]

/** The tool with which agents ask a person something: its answer is a text, never a mere yes. */
export const QUESTION_TOOL = 'AskUserQuestion'

export type ApprovalView = {
  id: ApprovalId
  state: ApprovalState
  run: { id: RunId; deliveryId: DeliveryId }
  agent: { id: AgentId; key: string; name: string }
  machine: { id: MachineId; name: string }
  job: { id: JobId; key: string; name: string } | null
  /** The agent's own number for its question. */
  ask: string
  tool: string
  /** The exact command, or the path and what is to be written there. */
  summary: string
  input?: unknown
  /** The input is too long to be shown whole; `actionHash` is of all of it. */
  inputCut: boolean
  cwd: string
  /** SHA-256 of tool, input and folder: an answer allows exactly this. */
  actionHash: string
  /** The narrowest pattern that covers this action, for `session` and `job`; null where there is none. */
  pattern: string | null
  askedAt: number
  expiresAt: number
  answeredAt: number | null
  /** Without an id: a person of the relay from where this was imported. */
  answeredBy: { id: UserId | null; name: string } | null
  answeredVia: AnsweredVia | null
  scope: ApprovalScope | null
  /** What the person said with the answer. */
  message: string | null
  /** How far the answer got on its way to the machine. */
  answer: { state: ControlState; reason: string | null } | null
}

/** An open approval as a run shows it. */
export type OpenApproval = Pick<ApprovalView, 'id' | 'tool' | 'summary' | 'askedAt' | 'expiresAt'>

export type ControlView = {
  id: ControlId
  kind: 'answer' | 'steer' | 'interrupt'
  text: string | null
  state: ControlState
  reason: string | null
  by: { id: UserId; name: string } | null
  via: AnsweredVia
  createdAt: number
}

/** An agent's own rules, or what a job changes of its agent's. */
export type ApprovalSettings = Partial<ApprovalRules>

const pattern = z
  .string()
  .max(500)
  .regex(/^[\w.-]+(\*|\([^\n]+\))?$/, 'give a tool, or a tool with a pattern like Bash(git *)')
/** What people give as settings: only the named fields. */
export const approvalSettings = z
  .strictObject({
    mode: z.enum(['deny', 'ask']),
    expiresMs: z
      .number()
      .int()
      .min(10_000)
      .max(7 * 86_400_000),
    allow: z.array(pattern).max(200),
  })
  .partial()
export const approvalPattern = pattern

/** A job's settings over its agent's. Both allow-lists count. */
export function mergeApprovals(agent: ApprovalSettings, job: ApprovalSettings | null): ApprovalRules {
  return {
    mode: job?.mode ?? agent.mode ?? 'deny',
    expiresMs: job?.expiresMs ?? agent.expiresMs ?? 30 * 60_000,
    allow: [...new Set([...(agent.allow ?? []), ...(job?.allow ?? [])])],
  }
}
