import { z } from 'zod'

/**
 * Where an agent's process runs. `container` and `bubblewrap` are set up by the machine's runner, and only as far as
 * the machine's own policy file allows.
 */
export const agentIsolation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('host') }),
  /** A light sandbox: the file system read-only except the workspace and the run's own temporary folder. */
  z.object({ kind: z.literal('bubblewrap'), network: z.boolean().default(true) }),
  z.object({
    kind: z.literal('container'),
    image: z.string().regex(/^[\w][\w.\-/:@]{0,254}$/, 'give an image like node:24 or ghcr.io/you/agent:1'),
    engine: z.enum(['auto', 'docker', 'podman']).default('auto'),
    memoryMb: z.number().int().min(64).max(1_048_576).default(4_096),
    cpus: z.number().min(0.1).max(256).default(2),
    pids: z.number().int().min(16).max(32_768).default(512),
    /** `none`, `bridge` or the name of a network that exists on that machine. */
    network: z
      .string()
      .regex(/^[a-zA-Z0-9][\w.-]{0,62}$/, 'give none, bridge or the name of a network')
      .default('bridge'),
  }),
])
export type AgentIsolation = z.infer<typeof agentIsolation>

/** What happens when an agent asks for permission for something that its permission mode does not cover. */
export const approvalRules = z.object({
  /** `deny`: refused at once, the run goes on without. `ask`: a durable approval that a person answers. */
  mode: z.enum(['deny', 'ask']).default('deny'),
  /** Denied when nobody answered within this time. */
  expiresMs: z
    .number()
    .int()
    .min(1_000)
    .max(7 * 86_400_000)
    .default(30 * 60_000),
  /** Tools, or `Tool(prefix…*)` patterns, that need no question: the job's allow-list. */
  allow: z.array(z.string().min(1).max(500)).max(200).default([]),
})
export type ApprovalRules = z.infer<typeof approvalRules>

/** Money in US dollars, tokens in and out together. `null` means no such budget. */
export const budget = z.object({
  runUsd: z.number().positive().max(100_000).nullable().default(null),
  runTokens: z.number().int().positive().nullable().default(null),
  dayUsd: z.number().positive().max(1_000_000).nullable().default(null),
  dayTokens: z.number().int().positive().nullable().default(null),
})
export type Budget = z.infer<typeof budget>

/** What the agent's own runtime can do, as its driver declares it. */
export const CAPABILITIES = [
  'resume',
  'cancel',
  'steer',
  'interrupt',
  'approvals',
  'usage',
  'cost',
  'model',
  'tool_allow_list',
  'instructions',
] as const
export type Capability = (typeof CAPABILITIES)[number]

/**
 * How far what started a run is trusted. `public`: its text came from outside the organization (a webhook, a comment of
 * a stranger), so the run gets the least power unless the job and the machine's policy both say otherwise.
 */
export const TRUST_LEVELS = ['member', 'public'] as const
export type Trust = (typeof TRUST_LEVELS)[number]
