import { realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUNTIME_CAPABILITIES } from '@baton/protocol'
import { refuseModel } from './agent-names.ts'
import { askProgram, askVersion } from './ask-program.ts'
import { runEnvironment } from './environment.ts'
import { findAbove } from './find-above.ts'
import { findExecutable } from './find-executable.ts'
import { fieldsOf, listOf } from './json-fields.ts'
import { createOpencodeReader } from './opencode-reader.ts'
import type { PrepareInput, Refused, RuntimeDriver } from './runtime.ts'

/**
 * opencode in its one-way mode: the prompt is the whole stdin, since on the argv it would be quoted once more. What it
 * may do stands in an environment variable; nothing is ever asked, since a question ends its run.
 */
export const opencodeDriver: RuntimeDriver = {
  runtime: 'opencode',
  capabilities: RUNTIME_CAPABILITIES.opencode,
  async prepare(input) {
    const { delivery } = input
    const env = await environmentFor(input)
    const file = await findExecutable('opencode', env.PATH ?? '')
    if (file === null) {
      const message = 'opencode is not on the PATH of the runner.'
      return { refused: 'agent_missing', message }
    }
    const refused = refuse(input)
    if (refused !== null) return refused
    const args = ['run', '--format', 'json', '--thinking', '--print-logs', '--log-level', 'ERROR']
    if (delivery.agent.model !== null) args.push('--model', delivery.agent.model)
    if (delivery.sessionId !== null)
      args.push('--session', await sessionHere(file, input.cwd, env, delivery.sessionId))
    return {
      command: { file, args, env, stdin: delivery.prompt, keepStdinOpen: false },
      version: await askVersion(file, env),
      shown: ['opencode', ...args],
    }
  },
  createReader({ delivery }, from) {
    const { permissionMode, model = null } = delivery.agent
    return createOpencodeReader({ model, expectsChanges: permissionMode !== 'read_only' }, from)
  },
}

/** What would be run from the repository: nothing stops opencode from loading its plugins. */
const REPOSITORY_CODE = '.opencode'
const SESSION = /^ses_[0-9A-Za-z]{1,60}$/

function refuse({ delivery, cwd }: PrepareInput): Refused | null {
  const { agent, sessionId, trust } = delivery
  if (sessionId !== null && !SESSION.test(sessionId)) {
    const message = 'The conversation to go on with has an id that opencode does not use.'
    return { refused: 'policy', message }
  }
  if (agent.model !== null && !agent.model.includes('/')) {
    const message = `opencode names models as provider/model, as anthropic/claude-sonnet-4-5; "${agent.model.slice(0, 80)}" has no provider. Change the agent's model.`
    return { refused: 'policy', message }
  }
  const folder = trust === 'public' ? findAbove(cwd, REPOSITORY_CODE) : null
  if (folder !== null) {
    const message = `A public event started this run, and ${folder} may hold plugins, which opencode runs unasked. Use another runtime for it, or take that folder away.`
    return { refused: 'policy', message }
  }
  return refuseModel(agent.model)
}

/** More sessions than this of one folder are not looked through. */
const MOST_SESSIONS = '500'
const LIST_MS = 20_000

/**
 * The session, if it is one of this folder's: with one of another folder opencode hangs for ever, without a word. Such a
 * one is asked for by a name that no session has, so that opencode itself says that it is not there.
 */
async function sessionHere(
  file: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  sessionId: string,
): Promise<string> {
  const args = ['session', 'list', '--format', 'json', '--max-count', MOST_SESSIONS]
  const answer = await askProgram(file, args, env, LIST_MS, cwd)
  const sessions = answer.answered ? listOf(parseList(answer.stdout)).map(fieldsOf) : []
  const here = await realpath(cwd)
  const isHere = sessions.some((one) => one.id === sessionId && one.directory === here)
  return isHere ? sessionId : `${sessionId}_of_another_folder`
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return []
  }
}

async function environmentFor(input: PrepareInput): Promise<Record<string, string>> {
  return {
    ...runEnvironment(input),
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_PROJECT_CONFIG: '1',
    OPENCODE_PERMISSION: JSON.stringify(permissions(input)),
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      share: 'disabled',
      autoupdate: false,
      ...(await instructionsFor(input)),
    }),
  }
}

/** In a file of the run's own: opencode adds such files to its system prompt, while a prompt of an agent replaces it. */
async function instructionsFor({ delivery, tmpDir }: PrepareInput): Promise<{ instructions?: string[] }> {
  const { instructions } = delivery.agent
  if (instructions.trim() === '') return {}
  const file = join(tmpDir, 'instructions.md')
  await writeFile(file, instructions, { mode: 0o600 })
  return { instructions: [file] }
}

type Rule = 'allow' | 'deny'

/**
 * opencode has no sandbox, and a command that it lets through may write anywhere; so `edit` runs only the commands that
 * the job allows by name. A rule that is an object leaves the tool there, and each refusal is told.
 */
function permissions({
  delivery: { agent },
  tmpDir,
  agentFolder,
}: PrepareInput): Record<string, Rule | Record<string, Rule>> {
  if (agent.permissionMode === 'full') return { '*': 'allow', external_directory: 'allow' }
  const edit = agent.permissionMode === 'edit' ? 'allow' : 'deny'
  const bash: Record<string, Rule> = { '*': 'deny' }
  for (const rule of edit === 'allow' ? agent.approvals.allow : []) {
    const found = SHELL_RULE.exec(rule)
    if (found !== null) bash[found[1] ?? '*'] = 'allow'
  }
  return { edit, bash, webfetch: edit, websearch: edit, external_directory: outside([tmpDir, agentFolder]) }
}

/** `Bash` or `Bash(npm test*)`, as the job's allow-list has them for every runtime. */
const SHELL_RULE = /^(?:bash|shell)(?:\((.*)\))?$/i

/** File tools reach nothing outside of the workspace but these folders. */
function outside(folders: readonly (string | null | undefined)[]): Record<string, Rule> {
  const rules: Record<string, Rule> = { '*': 'deny' }
  for (const folder of folders) if (folder) rules[`${folder}/*`] = 'allow'
  return rules
}
