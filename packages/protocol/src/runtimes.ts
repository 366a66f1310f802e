import { z } from 'zod'
import { CAPABILITIES, type Capability } from './agent-settings.ts'

/** How an agent runs. `command` is any executable that the machine's own policy file names. */
export const RUNTIMES = ['claude', 'codex', 'gemini', 'opencode', 'acp', 'chat', 'command'] as const
export type Runtime = (typeof RUNTIMES)[number]
/** The runtimes that this version can start. */
export const STARTABLE_RUNTIMES = [
  'claude',
  'codex',
  'gemini',
  'opencode',
  'acp',
  'chat',
  'command',
] as const satisfies readonly Runtime[]

/** What each runtime can do in this version: the relay refuses at once what nobody would carry out. */
export const RUNTIME_CAPABILITIES: Record<Runtime, readonly Capability[]> = {
  claude: [
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
  ],
  codex: ['resume', 'cancel', 'usage', 'model', 'instructions'],
  gemini: ['resume', 'cancel', 'usage', 'model', 'tool_allow_list', 'instructions'],
  opencode: ['resume', 'cancel', 'usage', 'cost', 'model', 'tool_allow_list', 'instructions'],
  acp: ['resume', 'cancel', 'interrupt', 'approvals', 'usage', 'cost', 'model', 'instructions'],
  chat: ['resume', 'cancel', 'usage', 'model', 'instructions'],
  command: ['cancel'],
}

const shownText = z
  .string()
  .transform((value) => value.toWellFormed().replaceAll('\0', '\uFFFD').slice(0, 1_000))

/** What a machine found out about one runtime. "Could not ask" (`unknown`) is different from "no". */
export const runtimeProbe = z.object({
  runtime: z.enum(RUNTIMES),
  installed: z.boolean(),
  version: shownText.nullable(),
  path: shownText.nullable(),
  signedIn: z.enum(['yes', 'no', 'unknown']),
  /** One sentence: how it is signed in, or why it could not be asked, or how to install it. */
  detail: shownText,
  /** Names of the executables that the machine's policy offers to the runtimes `command` and `acp`. */
  commands: z.array(shownText).max(200).default([]),
  /** What the installed program can do; of a newer runner's words those that are not known are left out. */
  capabilities: z
    .array(z.string())
    .max(100)
    .default([])
    .transform((words) => CAPABILITIES.filter((one) => words.includes(one))),
})
export type RuntimeProbe = z.infer<typeof runtimeProbe>

export const PERMISSION_MODES = ['read_only', 'edit', 'full'] as const
export type PermissionMode = (typeof PERMISSION_MODES)[number]

/** Limits of one run. `null` means none. */
export const runLimits = z.object({
  silenceMs: z
    .number()
    .int()
    .min(1_000)
    .max(7 * 86_400_000)
    .nullable(),
  wallMs: z
    .number()
    .int()
    .min(1_000)
    .max(7 * 86_400_000)
    .nullable(),
  maxAttempts: z.number().int().min(1).max(20),
  /** Says that running it twice does no harm: only then is a run that was lost or failed tried again by itself. */
  repeatable: z.boolean(),
})
export type RunLimits = z.infer<typeof runLimits>
