/** The agent CLIs that tests may drive, and the versions their transcripts and flags were checked with. */
export type AgentCliName = 'claude' | 'codex' | 'gemini' | 'opencode'

export interface AgentCli {
  package: string
  version: string
  /**
   * Where the program lies under `node_modules`, best first, as glob patterns. Install scripts do not run, so the links
   * they would make from `.bin` to the platform's binary are not there.
   */
  programs: string[]
}

const executable = process.platform === 'win32' ? '.exe' : ''

export const agentClis: Record<AgentCliName, AgentCli> = {
  claude: {
    package: '@anthropic-ai/claude-code',
    version: '2.1.328',
    programs: [`@anthropic-ai/claude-code-*/claude${executable}`],
  },
  codex: {
    package: '@openai/codex',
    version: '0.169.0',
    programs: [`@openai/codex-*/vendor/*/bin/codex${executable}`],
  },
  gemini: {
    package: '@google/gemini-cli',
    version: '0.61.0',
    programs: ['@google/gemini-cli/bundle/gemini.js'],
  },
  opencode: {
    package: 'opencode-ai',
    version: '1.18.33',
    // The -baseline builds are for processors without AVX2; npm installs both.
    programs: [
      `opencode-{linux,darwin,windows}-!(*-baseline*)/bin/opencode${executable}`,
      `opencode-*-baseline*/bin/opencode${executable}`,
    ],
  },
}
