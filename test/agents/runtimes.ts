import type { Runtime } from '@baton/protocol'
import {
  installAgentCli,
  type StandInModel,
  withClaudeEnvironment,
  withCodexEnvironment,
  withOpencodeEnvironment,
} from '@baton/testkit'
import type { CaseName } from './cases.ts'

/** One row of the table: a runtime with the real CLI behind it. */
export type RuntimeRow = {
  name: Runtime
  /** The program, or why there is none here. */
  install(): Promise<{ path: string } | { missing: string }>
  /** Makes the CLI talk to the stand-in model: writes into the home, and returns what the runner's environment needs. */
  setUp(model: StandInModel, home: string): Promise<Record<string, string>>
  /** Settings of its agents. */
  agent?: { model?: string; command?: string }
  /** What this runtime cannot do, by case, in the words of the table: the case is not run. */
  gaps?: Partial<Record<CaseName, string>>
  /** What a case comes to that is not as with the others, in the words of the table. */
  instead?: Partial<Record<CaseName, { errorKind: string; says: string }>>
}

const SILENT = {
  errorKind: 'timeout_silence',
  says: 'it retries in silence for ever; only its silence limit ends it',
}

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
  },
  {
    name: 'codex',
    install: () => installAgentCli('codex'),
    setUp: async (model, home) => pick(await withCodexEnvironment(model, home), /^CODEX_/),
  },
  {
    name: 'opencode',
    install: () => installAgentCli('opencode'),
    setUp: async (model, home) => pick(await withOpencodeEnvironment(model, home), /^$/),
    instead: { 'API error 500': SILENT, 'quota 429': SILENT },
  },
]

/** Only what a runner would have in its environment; the rest is the runner's own business. */
function pick(env: Record<string, string>, names: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.test(name)))
}
