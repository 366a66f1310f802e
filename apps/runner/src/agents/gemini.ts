import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUNTIME_CAPABILITIES } from '@baton/protocol'
import { refuseNames, uuidOfRun } from './agent-names.ts'
import { programVersion } from './ask-facts.ts'
import { runEnvironment } from './environment.ts'
import { findAbove } from './find-above.ts'
import { findExecutable } from './find-executable.ts'
import {
  GEMINI_START,
  type GeminiState,
  heldGeminiText,
  readGeminiError,
  readGeminiEvent,
} from './gemini-events.ts'
import { geminiVerdict } from './gemini-outcome.ts'
import { geminiPolicy } from './gemini-policy.ts'
import { gitIdentity } from './git-identity.ts'
import { createJsonLinesReader } from './json-lines-reader.ts'
import { withInstructions } from './prompt-instructions.ts'
import type { PrepareInput, Refused, RuntimeDriver } from './runtime.ts'
import { clipText, storableText } from './split-text.ts'

const RESULT_BYTES = 200 * 1024

/**
 * Gemini CLI in its one-way mode: the prompt is the whole stdin, and what it may do stands in a policy file of the run's
 * own. It has no flag that adds to its system prompt, so the agent's instructions stand before the prompt.
 */
export const geminiDriver: RuntimeDriver = {
  runtime: 'gemini',
  capabilities: RUNTIME_CAPABILITIES.gemini,
  async prepare(input) {
    const { delivery, tmpDir } = input
    const { agent, sessionId } = delivery
    const env = await environmentFor(input)
    const file = await findExecutable('gemini', env.PATH ?? '')
    if (file === null) {
      const message = 'Gemini CLI (gemini) is not on the PATH of the runner.'
      return { refused: 'agent_missing', message }
    }
    const refused = refuseNames(delivery, 'Gemini CLI') ?? refuseSettings(input)
    if (refused !== null) return refused
    const policy = join(tmpDir, 'gemini-policy.toml')
    const { approvalMode, rules } = geminiPolicy(agent.permissionMode, agent.approvals.allow)
    await writeFile(policy, rules, { mode: 0o600 })
    const args = ['--output-format', 'stream-json', '--skip-trust']
    args.push('--approval-mode', approvalMode, '--policy', policy)
    args.push(...(sessionId === null ? ['--session-id', uuidOfRun(delivery.runId)] : ['--resume', sessionId]))
    if (agent.model !== null) args.push('--model', agent.model)
    const stdin = withInstructions(agent.instructions, delivery.prompt)
    return {
      command: { file, args, env, stdin, keepStdinOpen: false },
      version: await programVersion('gemini', file, env),
      shown: ['gemini', ...args],
    }
  },
  createReader({ delivery }, from) {
    const expectsChanges = delivery.agent.permissionMode !== 'read_only'
    return createJsonLinesReader<GeminiState>(
      {
        start: GEMINI_START,
        readEvent: readGeminiEvent,
        readError: (text, state, atMs) => ({ events: readGeminiError(text, state, atMs) }),
        held: heldGeminiText,
        end(state, exit, facts) {
          const verdict = geminiVerdict(state, exit, facts, expectsChanges)
          const answer = state.result?.isError === false ? state.answer.trim() : ''
          return {
            ...verdict,
            result: answer === '' ? null : clipText(storableText(answer), RESULT_BYTES),
            usage: state.usage,
            sessionId: state.sessionId,
            quotaUntil: verdict.errorKind === 'quota' ? state.quotaUntil : null,
          }
        },
      },
      from,
    )
  },
}

/** Where a repository keeps settings for Gemini CLI: they name servers and hooks, which are programs. */
const REPOSITORY_SETTINGS = '.gemini'

/** Who fired a public event may have written the repository's settings, and no flag leaves them out. */
function refuseSettings({ cwd, delivery }: PrepareInput): Refused | null {
  const folder = delivery.trust === 'public' ? findAbove(cwd, REPOSITORY_SETTINGS) : null
  if (folder === null) return null
  const message = `A public event started this run, and ${folder} may hold settings of a stranger. Use another runtime for it, or take that folder away.`
  return { refused: 'policy', message }
}

/** Its own defaults, below what the user has set: the owner of a machine may have put such a file there himself. */
const MACHINE_DEFAULTS = '/etc/gemini-cli/system-defaults.json'

async function environmentFor(input: PrepareInput): Promise<Record<string, string>> {
  const env: Record<string, string> = {
    ...runEnvironment(input),
    // Without it a wrapper process swallows the signals that end a run.
    GEMINI_CLI_NO_RELAUNCH: 'true',
  }
  // Its shell sees no git configuration of the user, and a commit without a name fails.
  Object.assign(env, await gitIdentity(env, input.cwd, input.delivery.agent.key))
  if (!existsSync(MACHINE_DEFAULTS)) {
    const defaults = join(input.tmpDir, 'gemini-defaults.json')
    await writeFile(defaults, JSON.stringify(defaultSettings(env)), { mode: 0o600 })
    env.GEMINI_CLI_SYSTEM_DEFAULTS_PATH = defaults
  }
  return env
}

/** Ten attempts, its own default, turn an overloaded service into more than two silent minutes. */
function defaultSettings(env: Record<string, string>): object {
  return {
    general: { maxAttempts: 3, enableAutoUpdate: false, enableAutoUpdateNotification: false },
    ...(env.GEMINI_API_KEY !== undefined && { security: { auth: { selectedType: 'gemini-api-key' } } }),
  }
}
