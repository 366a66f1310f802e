import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RuntimeProbe } from '@baton/protocol'
import { askProgram } from './ask-program.ts'
import { fieldsOf, parseFields, textOf } from './json-fields.ts'

/** Whether an agent CLI has a login stored, and how. It says nothing about whether the login still works. */
export type SignIn = Pick<RuntimeProbe, 'signedIn' | 'detail'>
export type AskedCli = {
  file: string
  version: string | null
  env: Readonly<Record<string, string>>
  limitMs: number
}
export type AgentCli = 'claude' | 'codex' | 'gemini' | 'opencode'

/** Asks each CLI in its own way; "could not be asked" is never "no". */
export const askSignIn: Record<AgentCli, (cli: AskedCli) => Promise<SignIn>> = {
  claude: askClaude,
  codex: askCodex,
  gemini: askGemini,
  opencode: askOpencode,
}

async function askClaude({ file, version, env, limitMs }: AskedCli): Promise<SignIn> {
  // Before 2.1 these words were a prompt.
  if (!isAtLeast(version, 2, 1)) return unknown('it is too old to say; update it with "claude update"')
  const answer = await askProgram(file, ['auth', 'status'], env, limitMs)
  if (!answer.answered) return unknown(answer.why)
  const status = parseFields(answer.stdout)
  if (typeof status.loggedIn !== 'boolean') return unknown('its answer could not be read')
  if (!status.loggedIn) return no('run "claude" on this machine and sign in with /login')
  const plan = textOf(status.subscriptionType)
  return yes(`${textOf(status.authMethod) ?? 'a stored login'}${plan === null ? '' : `, ${plan}`}`)
}

async function askCodex({ file, env, limitMs }: AskedCli): Promise<SignIn> {
  if (env.CODEX_API_KEY !== undefined || env.OPENAI_API_KEY !== undefined)
    return yes('an API key in the environment')
  const folder = env.CODEX_HOME ?? join(env.HOME ?? '/', '.codex')
  const [answer, login, provider] = await Promise.all([
    askProgram(file, ['login', 'status'], env, limitMs),
    readJson(join(folder, 'auth.json')),
    readCodexProvider(join(folder, 'config.toml')),
  ])
  if (!answer.answered) return unknown(answer.why)
  const mode = textOf(login?.auth_mode)
  if (answer.exitCode === 0) return yes(mode === null ? 'a stored login' : (CODEX_LOGINS[mode] ?? mode))
  // Codex says "not logged in" of a provider that needs no login of its own.
  if (provider !== null)
    return unknown(`its settings name the provider "${provider}", which Codex does not ask`)
  return no('run "codex login" on this machine')
}

const CODEX_LOGINS: Record<string, string> = { apikey: 'a stored API key', chatgpt: 'ChatGPT' }

/** The provider of models that the user's settings choose, when it is not OpenAI itself. */
async function readCodexProvider(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const name = /^\s*model_provider\s*=\s*["']([\w.-]+)["']/m.exec(text)?.[1] ?? null
  return name === 'openai' ? null : name
}

async function askGemini({ env }: AskedCli): Promise<SignIn> {
  if (env.GEMINI_API_KEY !== undefined) return yes('an API key in the environment')
  if (env.GOOGLE_GENAI_USE_VERTEXAI !== undefined || env.GOOGLE_GENAI_USE_GCA !== undefined) {
    return yes('Google Cloud, named in the environment')
  }
  const folder = join(env.GEMINI_CLI_HOME ?? env.HOME ?? '/', '.gemini')
  const [settings, login] = await Promise.all([
    readJson(join(folder, 'settings.json')),
    readJson(join(folder, 'oauth_creds.json')),
  ])
  const kind = textOf(fieldsOf(fieldsOf(settings?.security).auth).selectedType)
  return kind !== null && login !== null
    ? yes(kind)
    : no('run "gemini" on this machine and choose how to sign in')
}

async function askOpencode({ env }: AskedCli): Promise<SignIn> {
  const data = env.XDG_DATA_HOME ?? join(env.HOME ?? '/', '.local', 'share')
  const config = env.XDG_CONFIG_HOME ?? join(env.HOME ?? '/', '.config')
  const [logins, settings] = await Promise.all([
    readJson(join(data, 'opencode', 'auth.json')),
    readJson(join(config, 'opencode', 'opencode.json')),
  ])
  const stored = Object.keys(logins ?? {})
  if (stored.length > 0) return yes(stored.join(', '))
  const named = Object.keys(env).filter((name) => /^[A-Z]+_API_KEY$/.test(name))
  if (named.length > 0) return yes(`${named.join(', ')} in the environment`)
  const providers = Object.entries(fieldsOf(settings?.provider)).filter(
    ([, one]) => fieldsOf(fieldsOf(one).options).apiKey !== undefined,
  )
  if (providers.length > 0) return yes(`${providers.map(([name]) => name).join(', ')} of its settings`)
  return unknown(
    'it has no stored login, but may take keys from its configuration; "opencode auth login" stores one',
  )
}

const yes = (how: string): SignIn => ({ signedIn: 'yes', detail: `Signed in: ${how}.` })
const no = (how: string): SignIn => ({ signedIn: 'no', detail: `Not signed in: ${how}.` })
const unknown = (why: string): SignIn => ({
  signedIn: 'unknown',
  detail: `Whether it is signed in is not known: ${why}.`,
})

function isAtLeast(version: string | null, major: number, minor: number): boolean {
  const [first = 0, second = 0] = (version ?? '').split('.').map(Number)
  return first > major || (first === major && second >= minor)
}

/** The fields of a JSON file; null when there is no such file, or none that can be read. */
async function readJson(file: string) {
  return readFile(file, 'utf8').then(parseFields, () => null)
}
