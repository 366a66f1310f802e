import type { Runtime } from '@baton/protocol'
import {
  installAgentCli,
  type StandInModel,
  withClaudeEnvironment,
  withCodexEnvironment,
  withGeminiEnvironment,
  withOpencodeEnvironment,
} from '@baton/testkit'
import type { CaseName } from './cases.ts'

/** One row of the table: a runtime with the real CLI behind it. */
export type RuntimeRow = {
  name: string
  /** Where it is not the name. */
  runtime?: Runtime
  /** The program, or why there is none here. */
  install(): Promise<{ path: string } | { missing: string }>
  /** Makes the CLI talk to the stand-in model: writes into the home, and returns what the runner's environment needs. */
  setUp(model: StandInModel, home: string): Promise<Record<string, string>>
  /** The policy's command of the row's name, made from the program's path. */
  command?(path: string): { argv: string[]; format: 'acp' }
  /** Names of the environment that the policy must allow it to see. */
  environment?: readonly string[]
  /** It has no tools: what others show with a command is shown with an answer that never ends. */
  toolless?: boolean
  /** Settings of its agents. */
  agent?: { model?: string; command?: string }
  /** Where it keeps its sessions, below the home. */
  sessions: readonly string[]
  /** What this runtime cannot do, by case, in the words of the table: the case is not run. */
  gaps?: Partial<Record<CaseName, string>>
  /** What a case comes to that is not as with the others, in the words of the table. */
  instead?: Partial<Record<CaseName, { errorKind: string; says: string }>>
}

const UNTIL_UNKNOWN = {
  errorKind: 'quota',
  says: 'its log does not say until when; its work waits 15 minutes',
}

const NO_TOOLS = 'it has no tools'
const GEMINI = /^(GEMINI_API_KEY|GOOGLE_GEMINI_BASE_URL)$/

export const ROWS: readonly RuntimeRow[] = [
  {
    name: 'claude',
    install: () => installAgentCli('claude'),
    // With a subscription: only then it tells when a quota comes back.
    setUp: async (model, home) => ({
      ...pick(await withClaudeEnvironment(model, home), /^ANTHROPIC_BASE_URL$/),
      CLAUDE_CODE_OAUTH_TOKEN: 'stand-in',
    }),
    agent: { model: 'sonnet' },
    sessions: ['.claude/projects'],
  },
  {
    name: 'codex',
    install: () => installAgentCli('codex'),
    setUp: async (model, home) => pick(await withCodexEnvironment(model, home), /^CODEX_/),
    sessions: ['.codex/sessions'],
  },
  {
    name: 'opencode',
    install: () => installAgentCli('opencode'),
    setUp: async (model, home) => pick(await withOpencodeEnvironment(model, home), /^$/),
    sessions: ['.local/share/opencode/opencode.db'],
    instead: { 'quota 429': UNTIL_UNKNOWN },
  },
  {
    name: 'gemini',
    install: () => installAgentCli('gemini'),
    setUp: async (model, home) => pick(await withGeminiEnvironment(model, home), GEMINI),
    agent: { model: 'gemini-2.5-pro' },
    sessions: ['.gemini/tmp'],
  },
  {
    name: 'acp-gemini',
    runtime: 'acp',
    install: () => installAgentCli('gemini'),
    setUp: async (model, home) => pick(await withGeminiEnvironment(model, home), GEMINI),
    command: (path) => ({ argv: [path, '--acp', '--skip-trust', '-m', 'gemini-2.5-pro'], format: 'acp' }),
    environment: ['GEMINI_API_KEY', 'GOOGLE_GEMINI_BASE_URL'],
    agent: { command: 'acp-gemini' },
    sessions: ['.gemini/tmp'],
    gaps: {
      resume: 'it loses a conversation that is loaded within a minute after it was written (upstream #28775)',
    },
  },
  {
    name: 'acp-opencode',
    runtime: 'acp',
    install: () => installAgentCli('opencode'),
    setUp: async (model, home) => pick(await withOpencodeEnvironment(model, home), /^$/),
    command: (path) => ({ argv: [path, 'acp', '--print-logs', '--log-level', 'ERROR'], format: 'acp' }),
    agent: { command: 'acp-opencode' },
    sessions: ['.local/share/opencode/opencode.db'],
    instead: { 'quota 429': UNTIL_UNKNOWN },
  },
  {
    name: 'chat',
    install: async () => ({ path: process.execPath }),
    setUp: async (model, home) => pick(await withGeminiEnvironment(model, home), GEMINI),
    toolless: true,
    agent: { model: 'google/gemini-2.5-pro' },
    sessions: ['../baton/data/default/agents'],
    gaps: { 'tool, changed file': NO_TOOLS, denial: NO_TOOLS },
  },
]

/** Only what a runner would have in its environment; the rest is the runner's own business. */
function pick(env: Record<string, string>, names: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.test(name)))
}
