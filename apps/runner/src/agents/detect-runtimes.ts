import { delimiter } from 'node:path'
import { RUNTIME_CAPABILITIES, type RuntimeProbe } from '@baton/protocol'
import { version } from '../version.ts'
import { askFacts, type KnownFacts } from './ask-facts.ts'
import { ASK_MS } from './ask-program.ts'
import { CHAT_KEY_NAMES } from './chat/chat-model.ts'
import { agentEnvironment } from './environment.ts'
import { findExecutable, isExecutable } from './find-executable.ts'
import type { AgentPolicy } from './runtime.ts'
import { type AgentCli, askSignIn } from './sign-in.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type DetectOptions = {
  /** The runner's environment; each CLI is asked with what it would get in a run. Default: this process's. */
  environment?: Environment
  /** The PATH of the user's login shell, looked through after the environment's own. */
  loginPath?: string
  policy?: AgentPolicy
  /** What was found earlier of each file: give the same map again and only sign-ins and changed files are asked. */
  facts?: KnownFacts
  /** How long each CLI may take for each answer. */
  limitMs?: number
}

/**
 * Which runtimes this machine has, in which version, and whether they are signed in. All are asked at the same time and
 * none longer than the limit; one that gives no answer is `unknown`. Nothing is asked of a model.
 */
export async function detectRuntimes(options: DetectOptions = {}): Promise<RuntimeProbe[]> {
  const policy = options.policy ?? { commands: {}, environment: [] }
  const environment = options.environment ?? process.env
  const own = { facts: new Map(), limitMs: ASK_MS, loginPath: '', ...options, policy, environment }
  return Promise.all([
    ...CLIS.map((cli) => detectCli(cli, own)),
    detectCommands(policy, 'acp'),
    detectChat(environment, policy),
    detectCommands(policy, 'command'),
  ])
}

const CLIS: readonly AgentCli[] = ['claude', 'codex', 'gemini', 'opencode']
const INSTALL: Record<AgentCli, string> = {
  claude: 'npm install -g @anthropic-ai/claude-code',
  codex: 'npm install -g @openai/codex',
  gemini: 'npm install -g @google/gemini-cli',
  opencode: 'npm install -g opencode-ai',
}

async function detectCli(runtime: AgentCli, options: Required<DetectOptions>): Promise<RuntimeProbe> {
  const own = agentEnvironment(options.environment, runtime, options.policy)
  const path = [own.PATH, options.loginPath].filter((part) => part).join(delimiter)
  const env = { ...own, PATH: path }
  const file = await findExecutable(runtime, path)
  if (file === null) {
    const detail = `Install it with: ${INSTALL[runtime]}`
    return {
      runtime,
      installed: false,
      version: null,
      path: null,
      signedIn: 'unknown',
      detail,
      commands: [],
      capabilities: [],
    }
  }
  // A file that was removed this moment can say nothing either.
  const facts = await askFacts(runtime, file, env, options.facts, options.limitMs).catch(() => ({
    version: null,
    capabilities: RUNTIME_CAPABILITIES[runtime],
  }))
  const signIn = await askSignIn[runtime]({ file, version: facts.version, env, limitMs: options.limitMs })
  return {
    runtime,
    installed: true,
    version: facts.version,
    path: file,
    ...signIn,
    commands: [],
    capabilities: [...facts.capabilities],
  }
}

/** The executables that the policy offers to a runtime; one that is gone is named. */
async function detectCommands({ commands }: AgentPolicy, runtime: 'acp' | 'command'): Promise<RuntimeProbe> {
  const own = Object.entries(commands).filter(([, { format }]) => (format === 'acp') === (runtime === 'acp'))
  const checked = await Promise.all(
    own.map(async ([name, { argv }]) => ({ name, there: await isExecutable(argv[0] ?? '') })),
  )
  const there = checked.filter((one) => one.there).map((one) => one.name)
  const gone = checked.filter((one) => !one.there).map((one) => one.name)
  const kind = runtime === 'acp' ? 'command with the format acp' : 'command'
  const offered =
    there.length === 0
      ? `The policy file names no ${kind} that is there`
      : `Commands of the policy file: ${there.join(', ')}`
  return {
    runtime,
    installed: there.length > 0,
    version: null,
    path: null,
    // Agents that speak the protocol say it only when they are prompted.
    signedIn: runtime === 'acp' ? 'unknown' : 'yes',
    detail: `${offered}${gone.length > 0 ? `; not executable: ${gone.join(', ')}` : ''}.`,
    commands: there,
    capabilities: [...RUNTIME_CAPABILITIES[runtime]],
  }
}

/** Chat agents need no program, only a key: one here, or a secret of the agent, which this machine does not know yet. */
async function detectChat(environment: Environment, policy: AgentPolicy): Promise<RuntimeProbe> {
  const env = agentEnvironment(environment, 'chat', policy)
  const keys = CHAT_KEY_NAMES.filter((name) => name in env)
  const known = `Keys in the environment: ${keys.join(', ')}.`
  return {
    runtime: 'chat',
    installed: true,
    version,
    path: null,
    signedIn: keys.length > 0 ? 'yes' : 'unknown',
    detail:
      keys.length > 0
        ? known
        : `No key is in the environment (${CHAT_KEY_NAMES.join(', ')}); an agent may have one as a secret.`,
    commands: [],
    capabilities: [...RUNTIME_CAPABILITIES.chat],
  }
}
