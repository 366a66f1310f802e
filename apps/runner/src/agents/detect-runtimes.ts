import { readFile, realpath, stat } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { RuntimeProbe } from '@baton/protocol'
import { ASK_MS, askVersion } from './ask-program.ts'
import { agentEnvironment } from './environment.ts'
import { findExecutable, isExecutable } from './find-executable.ts'
import { parseFields, textOf } from './json-fields.ts'
import type { AgentPolicy } from './runtime.ts'
import { type AgentCli, askSignIn } from './sign-in.ts'

export type DetectOptions = {
  /** The runner's environment; each CLI is asked with what it would get in a run. Default: this process's. */
  environment?: Readonly<Record<string, string | undefined>>
  /** The PATH of the user's login shell, looked through after the environment's own. */
  loginPath?: string
  policy?: AgentPolicy
  /** Versions found earlier, by file and its time of change: give the same map again and only sign-ins are asked. */
  versions?: Map<string, string | null>
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
  const own = { versions: new Map(), limitMs: ASK_MS, loginPath: '', ...options, policy, environment }
  return Promise.all([...CLIS.map((cli) => detectCli(cli, own)), detectCommands(policy)])
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
    const detail = `Not installed: ${INSTALL[runtime]}`
    return { runtime, installed: false, version: null, path: null, signedIn: 'unknown', detail, commands: [] }
  }
  // A file that was removed this moment has no version either.
  const version = await versionOf(runtime, file, env, options).catch(() => null)
  const signIn = await askSignIn[runtime]({ file, version, env, limitMs: options.limitMs })
  return { runtime, installed: true, version, path: file, ...signIn, commands: [] }
}

async function versionOf(
  runtime: AgentCli,
  file: string,
  env: Record<string, string>,
  { versions, limitMs }: Required<DetectOptions>,
): Promise<string | null> {
  const real = await realpath(file)
  const key = `${real} ${(await stat(real)).mtimeMs}`
  const known = versions.get(key)
  if (known !== undefined) return known
  // Gemini CLI takes more than a second to say its version.
  const version =
    (runtime === 'gemini' ? await packageVersion(real) : null) ?? (await askVersion(file, env, limitMs))
  versions.set(key, version)
  return version
}

/** The version in the package.json above a file, up to the folder that holds packages. */
async function packageVersion(file: string): Promise<string | null> {
  for (let folder = dirname(file); dirname(folder) !== folder; folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null)
    if (text !== null) return textOf(parseFields(text).version)
  }
  return null
}

/** The executables that the policy offers; one that is gone is named. */
async function detectCommands({ commands }: AgentPolicy): Promise<RuntimeProbe> {
  const checked = await Promise.all(
    Object.entries(commands).map(async ([name, { argv }]) => ({
      name,
      there: await isExecutable(argv[0] ?? ''),
    })),
  )
  const there = checked.filter((one) => one.there).map((one) => one.name)
  const gone = checked.filter((one) => !one.there).map((one) => one.name)
  const offered =
    there.length === 0
      ? 'The policy file names no command that is there'
      : `Commands of the policy file: ${there.join(', ')}`
  return {
    runtime: 'command',
    installed: there.length > 0,
    version: null,
    path: null,
    signedIn: 'yes',
    detail: `${offered}${gone.length > 0 ? `; not executable: ${gone.join(', ')}` : ''}.`,
    commands: there,
  }
}
