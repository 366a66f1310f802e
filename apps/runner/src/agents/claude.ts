import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PermissionMode, RUNTIME_CAPABILITIES } from '@baton/protocol'
import { refuseNames, uuidOfRun } from './agent-names.ts'
import { askVersion } from './ask-program.ts'
import { initializeRequest, userMessage } from './claude-control.ts'
import { createClaudeReader } from './claude-reader.ts'
import { runEnvironment } from './environment.ts'
import { findExecutable } from './find-executable.ts'
import type { Prepared, PrepareInput, Refused, RuntimeDriver } from './runtime.ts'

/**
 * Claude Code in its two-way mode: prompt and answers go in as JSON lines, and stdin stays open until it has given its
 * result. Settings and tool servers of the repository are left out, since they would run its code unasked.
 */
export const claudeDriver: RuntimeDriver = {
  runtime: 'claude',
  capabilities: RUNTIME_CAPABILITIES.claude,
  async prepare(input) {
    const { delivery } = input
    const env: Record<string, string> = { ...runEnvironment(input), ...FIXED_ENVIRONMENT }
    const file = await findExecutable('claude', env.PATH ?? '')
    if (file === null) {
      return {
        refused: 'agent_missing',
        message: 'Claude Code (claude) is not on the PATH of the runner.',
      }
    }
    const args = await argumentsFor(input)
    if (!Array.isArray(args)) return args
    const stdin = initializeRequest() + userMessage(delivery.prompt)
    return {
      command: { file, args, env, stdin, keepStdinOpen: true },
      version: await askVersion(file, env),
      shown: ['claude', ...args],
    } satisfies Prepared
  },
  createReader(run, from) {
    const expectsChanges = run.delivery.agent.permissionMode !== 'read_only'
    const { mode, allow } = run.delivery.agent.approvals ?? { mode: 'deny', allow: [] }
    const mayAsk = mode === 'ask' || allow.length > 0
    return createClaudeReader({ twoWay: true, expectsChanges, mayAsk }, from)
  },
}

const FIXED_ENVIRONMENT = {
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  // Ten, the default, turn a wrong key into more than two silent minutes.
  CLAUDE_CODE_MAX_RETRIES: '3',
}

/**
 * `read_only` has no tool that writes or runs anything: a shell would be let through by allow rules in the user's own
 * settings. `full` names its tools, since a bypass of permissions is refused to root and asks for nothing in return.
 */
const PERMISSIONS: Record<PermissionMode, readonly string[]> = {
  read_only: ['--permission-mode', 'default', '--tools', 'Read,Glob,Grep,Task,AskUserQuestion'],
  edit: ['--permission-mode', 'acceptEdits'],
  full: [
    '--permission-mode',
    'acceptEdits',
    '--allowedTools',
    'Bash,Read,Edit,Write,NotebookEdit,WebFetch,WebSearch',
  ],
}

async function argumentsFor({ delivery, tmpDir, agentFolder }: PrepareInput): Promise<string[] | Refused> {
  const { agent, sessionId } = delivery
  const refused = refuseNames(delivery, 'Claude Code')
  if (refused !== null) return refused
  const args = ['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose']
  args.push('--permission-prompt-tool', 'stdio', '--replay-user-messages')
  args.push('--setting-sources', 'user', '--strict-mcp-config')
  args.push(...(sessionId === null ? ['--session-id', uuidOfRun(delivery.runId)] : ['--resume', sessionId]))
  args.push(...PERMISSIONS[agent.permissionMode])
  if (agent.model !== null) args.push('--model', agent.model)
  const dollars = [delivery.budget.runUsd, delivery.budget.dayUsd].filter((limit) => limit !== null)
  if (dollars.length > 0) args.push('--max-budget-usd', String(Math.min(...dollars)))
  if (agentFolder) args.push('--add-dir', agentFolder)
  if (agent.instructions.trim() !== '') {
    const file = join(tmpDir, 'instructions.md')
    await writeFile(file, agent.instructions, { mode: 0o600 })
    args.push('--append-system-prompt-file', file)
    // A conversation keeps the instructions of its first run unless it is told not to.
    if (sessionId !== null) args.push('--system-prompt-snapshot', 'off')
  }
  return args
}
