import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Capability, RUNTIME_CAPABILITIES } from '@baton/protocol'
import { ASK_MS, askProgram, askVersion } from './ask-program.ts'
import { parseFields, textOf } from './json-fields.ts'
import type { AgentCli } from './sign-in.ts'

/** What an agent CLI says about itself; none of it changes before its file does. */
export type ProgramFacts = { version: string | null; capabilities: readonly Capability[] }
/** Facts found earlier, by file and its time of change. */
export type KnownFacts = Map<string, ProgramFacts>

/** Asks a CLI for its version and for what it can do, unless its file is the one that was asked before. */
export async function askFacts(
  cli: AgentCli,
  file: string,
  env: Readonly<Record<string, string>>,
  known: KnownFacts,
  limitMs = ASK_MS,
): Promise<ProgramFacts> {
  const key = await factsKey(file)
  const before = known.get(key)
  if (before !== undefined) return before
  const [version, capabilities] = await Promise.all([
    programVersion(cli, file, env, limitMs),
    askCapabilities(cli, file, env, limitMs),
  ])
  const facts = { version, capabilities }
  // What gave no answer this time may give one the next time.
  if (version !== null) known.set(key, facts)
  return facts
}

/** Under which a program's facts are known: another file at that place, or a changed one, has another. */
export async function factsKey(file: string): Promise<string> {
  const real = await realpath(file)
  return `${real} ${(await stat(real)).mtimeMs}`
}

/** Gemini CLI takes more than a second to say its version, so its package is asked. */
export async function programVersion(
  cli: AgentCli,
  file: string,
  env: Readonly<Record<string, string>>,
  limitMs = ASK_MS,
): Promise<string | null> {
  const packaged = cli === 'gemini' ? await packageVersion(await realpath(file)) : null
  return packaged ?? (await askVersion(file, env, limitMs))
}

/** The version in the package.json above a file, up to the folder that holds packages. */
async function packageVersion(file: string): Promise<string | null> {
  for (let folder = dirname(file); dirname(folder) !== folder; folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null)
    if (text !== null) return textOf(parseFields(text).version)
  }
  return null
}

/** Where a CLI lists what it can do. Gemini CLI's help takes more than two seconds: it is not asked. */
const HELP: Partial<Record<AgentCli, readonly string[]>> = {
  claude: ['--help'],
  codex: ['exec', '--help'],
  opencode: ['run', '--help'],
}

/** The words of the help without which a CLI of that version cannot do it. */
const NEEDED: Partial<Record<AgentCli, Partial<Record<Capability, RegExp>>>> = {
  claude: {
    resume: /--resume\b/,
    steer: /--input-format\b/,
    interrupt: /--input-format\b/,
    approvals: /--permission-prompt-tool\b/,
    model: /--model\b/,
    tool_allow_list: /--allowed-?tools\b/i,
    instructions: /--append-system-prompt\b/,
  },
  codex: { resume: /^\s+resume\b/m, model: /--model\b/ },
  opencode: { resume: /--session\b/, model: /--model\b/, instructions: /--agent\b/ },
}

/** What the program that is installed here can do of what its driver can use: an older one may not have it all. */
async function askCapabilities(
  cli: AgentCli,
  file: string,
  env: Readonly<Record<string, string>>,
  limitMs: number,
): Promise<readonly Capability[]> {
  const declared = RUNTIME_CAPABILITIES[cli]
  const question = HELP[cli]
  if (question === undefined) return declared
  const answer = await askProgram(file, question, env, limitMs)
  const help = answer.answered ? `${answer.stdout}\n${answer.stderr}` : ''
  // No help is no answer, and "could not ask" is not "cannot".
  if (!/--help\b/.test(help)) return declared
  return declared.filter((one) => NEEDED[cli]?.[one]?.test(help) ?? true)
}
