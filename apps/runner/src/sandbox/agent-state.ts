import type { Runtime } from '@baton/protocol'

/**
 * What an agent CLI keeps in its user's home. `state`: folders and files that it writes. `fixed`: within those, settings
 * that could make it run programs later outside of any sandbox, so an isolated agent reads them and cannot change them.
 * `credentials`: what it needs to be signed in, and no more; copied into the home of a container.
 */
export type AgentState = {
  state: readonly string[]
  fixed: readonly string[]
  credentials: readonly string[]
  /** The variable that moves all of it, and the folder that it stands for. */
  movedBy: { name: string; folder: string } | null
}

const NOTHING: AgentState = { state: [], fixed: [], credentials: [], movedBy: null }

export const AGENT_STATE: Record<Runtime, AgentState> = {
  claude: {
    state: ['.claude', '.claude.json'],
    fixed: [
      '.claude/settings.json',
      '.claude/CLAUDE.md',
      '.claude/hooks',
      '.claude/commands',
      '.claude/agents',
    ],
    credentials: ['.claude/.credentials.json'],
    movedBy: { name: 'CLAUDE_CONFIG_DIR', folder: '.claude' },
  },
  codex: {
    state: ['.codex'],
    fixed: ['.codex/config.toml', '.codex/AGENTS.md', '.codex/auth.json'],
    credentials: ['.codex/auth.json', '.codex/config.toml'],
    movedBy: { name: 'CODEX_HOME', folder: '.codex' },
  },
  gemini: {
    state: ['.gemini'],
    fixed: ['.gemini/settings.json', '.gemini/GEMINI.md', '.gemini/extensions', '.gemini/commands'],
    credentials: ['.gemini/oauth_creds.json', '.gemini/google_accounts.json', '.gemini/settings.json'],
    movedBy: null,
  },
  opencode: {
    state: ['.local/share/opencode', '.local/state/opencode', '.cache/opencode'],
    fixed: ['.config/opencode'],
    credentials: ['.local/share/opencode/auth.json', '.config/opencode/opencode.json'],
    movedBy: null,
  },
  acp: NOTHING,
  chat: NOTHING,
  command: NOTHING,
}
