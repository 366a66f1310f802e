import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PermissionMode, type PushedDelivery, RUNTIME_CAPABILITIES } from '@baton/protocol'
import { refuseModel } from './agent-names.ts'
import { askVersion } from './ask-program.ts'
import { createCodexReader } from './codex-reader.ts'
import { markOf, parseCodexSession } from './codex-session.ts'
import { CODEX_LOG } from './codex-trace.ts'
import { runEnvironment } from './environment.ts'
import { findExecutable } from './find-executable.ts'
import { withInstructions } from './prompt-instructions.ts'
import type { PrepareInput, Refused, RuntimeDriver } from './runtime.ts'

/**
 * Codex in its one-way mode: the prompt is the whole stdin. What its commands may touch is held by its own sandbox;
 * nobody is asked, so what the sandbox does not allow fails.
 */
export const codexDriver: RuntimeDriver = {
  runtime: 'codex',
  capabilities: RUNTIME_CAPABILITIES.codex,
  async prepare(input) {
    const { delivery } = input
    const env: Record<string, string> = { ...runEnvironment(input), RUST_LOG: CODEX_LOG }
    const file = await findExecutable('codex', env.PATH ?? '')
    if (file === null) {
      const message = 'Codex (codex) is not on the PATH of the runner.'
      return { refused: 'agent_missing', message }
    }
    const args = argumentsFor(input, env)
    if (!Array.isArray(args)) return args
    const told = await instructionsFor(input)
    return {
      command: {
        file,
        args: ['exec', ...told, ...args],
        env,
        stdin: promptFor(delivery),
        keepStdinOpen: false,
      },
      version: await askVersion(file, env),
      shown: ['codex', 'exec', ...(told.length > 0 ? ['-c', 'developer_instructions=…'] : []), ...args],
    }
  },
  createReader({ delivery }, from) {
    const { permissionMode, model = null, instructions = '' } = delivery.agent
    return createCodexReader({ permissionMode, model, instructions, sessionId: delivery.sessionId }, from)
  },
}

const SANDBOX: Record<PermissionMode, string> = {
  read_only: 'read-only',
  edit: 'workspace-write',
  full: 'danger-full-access',
}

/** The flags stand before `resume`, which does not know the sandbox's; without it every resumed run could only read. */
function argumentsFor(
  { delivery: { agent, sessionId, trust }, policy, agentFolder }: PrepareInput,
  env: Readonly<Record<string, string>>,
): string[] | Refused {
  const session = sessionId === null ? null : parseCodexSession(sessionId)
  if (sessionId !== null && session === null) {
    return { refused: 'policy', message: 'The conversation to go on with has an id that Codex does not use.' }
  }
  const refused = refuseModel(agent.model)
  if (refused !== null) return refused
  const args = ['--json', '--sandbox', SANDBOX[agent.permissionMode], '--skip-git-repo-check']
  args.push(...shellEnvironment(env, [...policy.environment, ...agent.secretNames]))
  if (agentFolder && agent.permissionMode === 'edit') args.push('--add-dir', agentFolder)
  // Text from outside the organization must not be led by what a stranger's branch says either.
  if (trust === 'public') {
    args.push('--ignore-user-config', '--ignore-rules', '-c', 'project_doc_max_bytes=0')
  }
  if (agent.model !== null) args.push('--model', agent.model)
  return session === null ? [...args, '-'] : [...args, 'resume', session.threadId, '-']
}

const LOOKS_SECRET = /KEY|SECRET|TOKEN/i

/**
 * Codex's own login stays out of the commands that it runs; what the machine's owner or the agent's settings name goes
 * in. The run's marks are set whatever the user's own settings say, so that every process of it can be found.
 */
function shellEnvironment(env: Readonly<Record<string, string>>, named: readonly string[]): string[] {
  const hidden = Object.keys(env).filter((name) => LOOKS_SECRET.test(name) && !named.includes(name))
  const marks = Object.entries(env).filter(([name]) => name.startsWith('BATON_'))
  const settings = [
    'ignore_default_excludes=true',
    `exclude=${JSON.stringify(hidden)}`,
    ...marks.map(([name, value]) => `set.${name}=${tomlText(value)}`),
  ]
  return settings.flatMap((setting) => ['-c', `shell_environment_policy.${setting}`])
}

/** A thread keeps the instructions with which it began, so it is told others in the prompt, once. */
function promptFor({ agent, sessionId, prompt }: PushedDelivery): string {
  const session = sessionId === null ? null : parseCodexSession(sessionId)
  if (session === null || session.told === markOf(agent.instructions)) return prompt
  if (agent.instructions.trim() === '') return `Your earlier instructions no longer hold.\n\n${prompt}`
  const words = 'These instructions hold from now on, instead of earlier ones.'
  return `${words}\n\n${withInstructions(agent.instructions, prompt)}`
}

/** One argument of a program is at most 128 KiB long. */
const LONGEST_ARGUMENT_BYTES = 96 * 1024

/** The agent's instructions beside Codex's own. They are never shown; too long ones are in a file that it is to read. */
async function instructionsFor({ delivery, tmpDir }: PrepareInput): Promise<string[]> {
  const { instructions } = delivery.agent
  if (instructions.trim() === '') return []
  const setting = `developer_instructions=${tomlText(instructions)}`
  if (Buffer.byteLength(setting) <= LONGEST_ARGUMENT_BYTES) return ['-c', setting]
  const file = join(tmpDir, 'instructions.md')
  await writeFile(file, instructions, { mode: 0o600 })
  const words = `Your instructions are in the file ${file}. Read all of it before you do anything else, and follow it.`
  return ['-c', `developer_instructions=${tomlText(words)}`]
}

/** A TOML text is a JSON text, but for DEL. */
function tomlText(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll('\u007f', '\\u007f')
}
