import type { Runtime } from '@baton/protocol'
import type { AgentPolicy, PrepareInput } from './runtime.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What every agent sees: who it is, where programs are, the language, and how to reach the network. */
const BASE_NAMES = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ'],
  ...['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME'],
  ...[
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
    'ALL_PROXY',
    'http_proxy',
    'https_proxy',
    'no_proxy',
    'all_proxy',
  ],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['SystemRoot', 'ComSpec', 'PATHEXT', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'ProgramFiles'],
]

/** What one runtime needs to find its own login. A machine's policy can add names, also for `command`. */
const RUNTIME_NAMES: Record<Runtime, readonly string[]> = {
  claude: [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'ANTHROPIC_BASE_URL',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CONFIG_DIR',
  ],
  codex: ['CODEX_HOME', 'CODEX_API_KEY', 'OPENAI_API_KEY'],
  gemini: [
    'GEMINI_API_KEY',
    'GEMINI_CLI_HOME',
    'GOOGLE_GEMINI_BASE_URL',
    'GOOGLE_GENAI_USE_VERTEXAI',
    'GOOGLE_GENAI_USE_GCA',
    'GOOGLE_API_KEY',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'GOOGLE_CLOUD_PROJECT',
    'GOOGLE_CLOUD_LOCATION',
  ],
  // Where its settings are. The keys of its many providers are for the policy to name.
  opencode: ['OPENCODE_CONFIG', 'OPENCODE_CONFIG_DIR'],
  acp: [],
  chat: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'CHAT_API_KEY'],
  command: [],
}

/** Marks by which an agent thinks that it runs inside another one or may drop its guards; and all that is Baton's own. */
const NEVER = /^(CLAUDECODE|CLAUDE_CODE_ENTRYPOINT|IS_SANDBOX|BATON_.*)$/

/** The allow-listed part of `source`. What is not named here or in the policy does not reach an agent. */
export function agentEnvironment(
  source: Environment,
  runtime: Runtime,
  policy: Pick<AgentPolicy, 'environment'>,
): Record<string, string> {
  const allowed = new Set([...BASE_NAMES, ...RUNTIME_NAMES[runtime], ...policy.environment])
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined || NEVER.test(name)) continue
    if (allowed.has(name) || name.startsWith('LC_')) env[name] = value
  }
  return env
}

/** The environment of one run: the allow-listed part, a TMPDIR of its own, and what started it. */
export function runEnvironment(input: PrepareInput): Record<string, string> {
  const { delivery, tmpDir } = input
  return {
    ...agentEnvironment(input.environment, delivery.agent.runtime, input.policy),
    TMPDIR: tmpDir,
    TMP: tmpDir,
    TEMP: tmpDir,
    BATON_RUN_ID: delivery.runId,
    BATON_DELIVERY_ID: delivery.deliveryId,
    BATON_EVENT_PATH: input.eventFile,
    BATON_EVENT_SOURCE: delivery.event.source,
    BATON_JOB: delivery.job?.key ?? '',
    BATON_ATTEMPT: String(delivery.attempt),
  }
}
