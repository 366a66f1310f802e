import { z } from 'zod'
import { ERROR_KIND_NAMES } from './error-kinds.ts'

/** Why an agent takes no work although nobody paused it. */
export const BLOCK_REASONS = ['quota', 'not_signed_in'] as const
export type BlockReason = (typeof BLOCK_REASONS)[number]

/** A skill as a delivery names it; its text is fetched only when the machine has another one. */
export const skillRef = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  description: z.string().max(500),
  /** SHA-256 of the text. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
})
export type SkillRef = z.infer<typeof skillRef>
export type Skill = SkillRef & { text: string }

/** Names that would change which code a program loads, or that Baton itself sets. */
const TAKEN =
  /^(BATON_.*|LD_.*|DYLD_.*|PATH|HOME|SHELL|USER|TMPDIR|IFS|ENV|BASH_ENV|NODE_OPTIONS|NODE_PATH|PYTHON(PATH|HOME|STARTUP)|PERL5?(LIB|OPT)|RUBY(LIB|OPT)|JAVA_TOOL_OPTIONS|GIT_(SSH|SSH_COMMAND|EXEC_PATH|CONFIG.*|EXTERNAL_DIFF|PAGER|EDITOR|ASKPASS)|SSH_ASKPASS|EDITOR|VISUAL|PAGER)$/i

/** The name of an environment variable that a secret may have. */
export const secretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'use letters, digits and underscores, like DEPLOY_TOKEN')
  .refine((name) => !TAKEN.test(name), 'this name decides which code runs, so no secret may have it')

/** How an agent was started and how it ended. Names of its environment and secrets, never a value. */
export const spawnReport = z.object({
  runtime: z.string().max(100),
  file: z.string().max(4_096),
  command: z.array(z.string().max(2_000)).max(200),
  version: z.string().max(200).nullable(),
  runnerVersion: z.string().max(40),
  cwd: z.string().max(4_096),
  environmentNames: z.array(z.string().max(200)).max(500),
  secretNames: z.array(z.string().max(200)).max(100),
  /** What least power took away, in words; empty for work of a member. */
  limited: z.array(z.string().max(500)).max(20),
  exit: z
    .object({
      exitCode: z.number().int().nullable(),
      signal: z.string().max(20).nullable(),
      error: z.enum(ERROR_KIND_NAMES).nullable(),
      message: z.string().max(2_000).nullable(),
    })
    .nullable(),
  stderrTail: z.string().max(4_096).nullable(),
})
export type SpawnReport = z.infer<typeof spawnReport>
